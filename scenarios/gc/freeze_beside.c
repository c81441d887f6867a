// SPDX-License-Identifier: Apache-2.0
//
// gc/freeze_beside: one thread freezes and unfreezes what is tracked, while others make garbage and collect.
// Question: can an object be lost, or collected while it is alive, when it is frozen in the midst of a collection?
// Verdict:  never: what was kept is there, what was dropped is gone after the last collection.
// How:      cycles that are dropped while frozen die only after an unfreeze.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

struct state {
    PyObject *freeze; // const after init
    PyObject *make;   // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->freeze = raw_function("import gc, weakref\n"
                                 "class Node: pass\n"
                                 "kept, dropped = [], []\n"
                                 "def make():\n"
                                 "    node, lost = Node(), Node()\n"
                                 "    node.me, lost.me = node, lost\n"
                                 "    kept.append(node)\n"
                                 "    dropped.append(weakref.ref(lost))\n"
                                 "    del lost\n"
                                 "    gc.collect()\n"
                                 "def freeze():\n"
                                 "    gc.freeze()\n"
                                 "    gc.unfreeze()\n",
                                 "freeze");
    state->make = raw_function("", "make");
    return state->freeze != NULL && state->make != NULL ? 0 : -1;
}

static void maker(struct cx_run *run, void *memory)
{
    (void)run;
    raw_visit(((struct state *)memory)->make, 2);
}

static void freezer(struct cx_run *run, void *memory)
{
    (void)run;
    raw_visit(((struct state *)memory)->freeze, 3);
}

static void check(struct cx_run *run, void *memory)
{
    (void)memory;
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(PyRun_SimpleString("gc.unfreeze()\n"
                                "gc.collect()\n"
                                "assert all(node.me is node for node in kept) and len(kept) == 4\n"
                                "assert all(reference() is None for reference in dropped), dropped\n") == 0);
}

const struct cx_scenario scenario_gc_freeze_beside = {
    .summary = "one thread freezes and unfreezes what is tracked while others collect",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"maker", maker, .count = 2}, {"freezer", freezer}},
    .tags = "gc,freeze",
    .refs = "gh-142975,gh-126312",
};
