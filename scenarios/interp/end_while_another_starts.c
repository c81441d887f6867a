// SPDX-License-Identifier: Apache-2.0
//
// interp/end_while_another_starts: one thread ends a subinterpreter while another makes one.
// Question: does the end of one interpreter, which stops all others, disturb one that is just being set up?
// Verdict:  no: the new one works, the old one is gone, and the list has main and the new one.
// How:      GIL shared in one, own in the other; both foreign threads.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#include <stdatomic.h>

struct state {
    PyInterpreterState *old;           // const after init
    PyInterpreterState *_Atomic fresh; // atomic
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->old = raw_interp_new(0);
    return state->old != NULL ? 0 : -1;
}

static void ender(struct cx_run *run, void *memory)
{
    (void)run;
    raw_interp_end(((struct state *)memory)->old);
}

static void maker(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyInterpreterState *fresh = raw_interp_new(1);
    CX_CHECK(fresh != NULL);
    PyGILState_Release(gil);
    CX_CHECK(raw_enter(fresh) != NULL);
    CX_CHECK(PyRun_SimpleString("import sys\nassert sys.modules") == 0);
    raw_leave();
    atomic_store(&state->fresh, fresh);
}

static void check(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(PyInterpreterState_Head() == atomic_load(&state->fresh));
    CX_CHECK(PyInterpreterState_Next(PyInterpreterState_Head()) == PyInterpreterState_Main());
    PyThreadState *own = PyEval_SaveThread();
    raw_interp_end(atomic_load(&state->fresh));
    PyEval_RestoreThread(own);
}

const struct cx_scenario scenario_interp_end_while_another_starts = {
    .summary = "one thread ends a subinterpreter while another makes one",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .wall_ms_max = 120000,
    .actors = {{"ender", ender}, {"maker", maker}},
    .tags = "interp",
    .refs = "gh-129824,pybind11#5779",
};
