// SPDX-License-Identifier: Apache-2.0
//
// gc/resurrected: finalizers put their objects back where others find them, while several threads collect.
// Question: is a finalizer called twice, or an object freed that its finalizer has saved?
// Verdict:  neither: each object is finalized once, and those that were saved are whole.
// How:      two threads make self-cycles whose finalizers save them, and collect; a third takes out what was saved.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

struct state {
    PyObject *make; // const after init
    PyObject *take; // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->make = raw_function("import gc\n"
                               "class Phoenix:\n"
                               "    def __init__(self):\n"
                               "        self.me, self.finalized = self, 0\n"
                               "    def __del__(self):\n"
                               "        self.finalized += 1\n"
                               "        saved.append(self)\n"
                               "saved, taken = [], []\n"
                               "def make():\n"
                               "    Phoenix()\n"
                               "    gc.collect()\n"
                               "def take():\n"
                               "    while saved:\n"
                               "        phoenix = saved.pop()\n"
                               "        assert phoenix.me is phoenix\n"
                               "        taken.append(phoenix)\n",
                               "make");
    state->take = raw_function("", "take");
    return state->make != NULL && state->take != NULL ? 0 : -1;
}

static void maker(struct cx_run *run, void *memory)
{
    (void)run;
    raw_visit(((struct state *)memory)->make, 2);
}

static void taker(struct cx_run *run, void *memory)
{
    (void)run;
    raw_visit(((struct state *)memory)->take, 3);
}

static void check(struct cx_run *run, void *memory)
{
    (void)memory;
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(PyRun_SimpleString("gc.collect()\n"
                                "take()\n"
                                "assert len(taken) == 4 and all(p.finalized == 1 for p in taken), taken\n") == 0);
}

const struct cx_scenario scenario_gc_resurrected = {
    .summary = "finalizers put their objects back while several threads collect",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"maker", maker, .count = 2}, {"taker", taker}},
    .tags = "gc,finalizer",
    .refs = "PEP 442",
};
