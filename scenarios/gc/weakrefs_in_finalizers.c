// SPDX-License-Identifier: Apache-2.0
//
// gc/weakrefs_in_finalizers: collections on several threads, and finalizers that ask a weak reference to their object.
// Question: does a weak reference without a callback still answer while the object is finalized?
// Verdict:  yes from 3.15 on. Before, the collector clears it first, and caches that are kept by weak references, such
//           as those of types, are not told of what the finalizer does.
// How:      two threads make cycles whose __del__ asks; a third collects meanwhile. No switch is needed for it.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

struct state {
    PyObject *collect;  // const after init
    PyObject *make;     // const after init
    PyObject *answered; // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->collect = raw_function("import gc, weakref\n"
                                  "answers = []\n"
                                  "class Node:\n"
                                  "    def __del__(self):\n"
                                  "        answers.append(self.reference() is self)\n"
                                  "def make():\n"
                                  "    node = Node()\n"
                                  "    node.me = node\n"
                                  "    node.reference = weakref.ref(node)\n"
                                  "def collect():\n"
                                  "    gc.collect()\n"
                                  "def answered():\n"
                                  "    gc.collect()\n"
                                  "    assert answers == [True] * 4, answers\n",
                                  "collect");
    state->make = raw_function("", "make");
    state->answered = raw_function("", "answered");
    return state->collect != NULL && state->make != NULL && state->answered != NULL ? 0 : -1;
}

static void maker(struct cx_run *run, void *memory)
{
    (void)run;
    raw_visit(((struct state *)memory)->make, 2);
}

static void collector(struct cx_run *run, void *memory)
{
    (void)run;
    raw_visit(((struct state *)memory)->collect, 1);
}

static void check(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(raw_call(state->answered) == 0);
}

const struct cx_scenario scenario_gc_weakrefs_in_finalizers = {
    .summary = "collections on several threads, and finalizers that ask a weak reference to their object",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"maker", maker, .count = 2}, {"collector", collector}},
    .tags = "gc,weakref",
    .refs = "gh-135552",
};
