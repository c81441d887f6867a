// SPDX-License-Identifier: Apache-2.0
//
// interp/imports_in_parallel: two foreign threads each make a subinterpreter, import the same modules and end it.
// Question: does what one interpreter's modules set up or tear down show in the other one?
// Verdict:  it must not. Modules and exceptions that write static variables for each interpreter race (gh-129824).
// How:      GILs of their own, so that both really run side by side; the modules are those that the issue names.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#include <stdatomic.h>

struct state {
    atomic_int ended; // atomic
};

static void maker(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    const PyInterpreterConfig config = {
        .allow_threads = 1,
        .check_multi_interp_extensions = 1,
        .gil = PyInterpreterConfig_OWN_GIL,
    };
    PyGILState_STATE gil = PyGILState_Ensure();
    PyThreadState *before = PyThreadState_Get();
    PyThreadState *tstate = NULL;
    CX_CHECK(!PyStatus_Exception(Py_NewInterpreterFromConfig(&tstate, &config)));
    CX_CHECK(PyRun_SimpleString("import _struct, _queue, posix") == 0);
    Py_EndInterpreter(tstate);
    PyThreadState_Swap(before);
    PyGILState_Release(gil);
    atomic_fetch_add(&state->ended, 1);
}

static void check(struct cx_run *run, void *memory)
{
    const struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(atomic_load(&state->ended) == 2);
    CX_CHECK(PyInterpreterState_Next(PyInterpreterState_Head()) == NULL);
}

const struct cx_scenario scenario_interp_imports_in_parallel = {
    .summary = "two foreign threads each make a subinterpreter, import the same modules and end it",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .check = check,
    .wall_ms_max = 120000,
    .actors = {{"maker", maker, .count = 2}},
    .tags = "interp,import",
    .refs = "gh-129824,gh-140260",
};
