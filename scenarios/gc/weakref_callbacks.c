// SPDX-License-Identifier: Apache-2.0
//
// gc/weakref_callbacks: objects with weak references and callbacks die on several threads, also in collections.
// Question: is a callback called twice, or never, or handed a reference that still answers?
// Verdict:  never: each living reference's callback is called once, after the reference has gone dead.
// How:      two threads make cycles and plain objects with callbacks and drop them; a third collects meanwhile.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

struct state {
    PyObject *collect; // const after init
    PyObject *make;    // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->collect = raw_function("import gc, weakref\n"
                                  "class Node: pass\n"
                                  "made, dead = [], []\n"
                                  "def on_death(reference):\n"
                                  "    dead.append(reference() is None)\n"
                                  "def make():\n"
                                  "    node, plain = Node(), Node()\n"
                                  "    node.me = node\n"
                                  "    for target in (node, plain):\n"
                                  "        made.append(weakref.ref(target, on_death))\n"
                                  "def collect():\n"
                                  "    gc.collect()\n",
                                  "collect");
    state->make = raw_function("", "make");
    return state->collect != NULL && state->make != NULL ? 0 : -1;
}

static void maker(struct cx_run *run, void *memory)
{
    (void)run;
    raw_visit(((struct state *)memory)->make, 3);
}

static void collector(struct cx_run *run, void *memory)
{
    (void)run;
    raw_visit(((struct state *)memory)->collect, 2);
}

static void check(struct cx_run *run, void *memory)
{
    (void)memory;
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(PyRun_SimpleString("gc.collect()\n"
                                "assert len(made) == 12 and dead == [True] * 12, dead\n") == 0);
}

const struct cx_scenario scenario_gc_weakref_callbacks = {
    .summary = "objects with weak references and callbacks die on several threads",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"maker", maker, .count = 2}, {"collector", collector}},
    .tags = "gc,weakref",
    .refs = "gh-91636,gh-135552",
};
