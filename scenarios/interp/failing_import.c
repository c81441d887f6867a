// SPDX-License-Identifier: Apache-2.0
//
// interp/failing_import: threads in subinterpreters import an extension module whose PyInit function raises.
// Question: does the exception come out of the import where it was asked for?
// Verdict:  yes from 3.13.13 and 3.14.4 on. Before, it belongs to the main interpreter, where the function runs.
// How:      setup starts Python again, with the module built in. An interpreter with its own GIL has its own allocator,
//           which cannot free what is another one's.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#include <stdatomic.h>

struct state {
    PyInterpreterState *interps[2]; // const after init
    atomic_int raised;              // atomic
};

static PyObject *failing_init(void)
{
    PyErr_SetString(PyExc_ValueError, "on purpose");
    return NULL;
}

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    if (Py_FinalizeEx() != 0 || PyImport_AppendInittab("failing", failing_init) != 0 || cx_python_start() != 0) {
        return -1;
    }
    state->interps[0] = raw_interp_new(1);
    state->interps[1] = raw_interp_new(1);
    return state->interps[0] != NULL && state->interps[1] != NULL ? 0 : -1;
}

static void importer(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    CX_CHECK(raw_enter(state->interps[cx_actor_index(run)]) != NULL);
    for (int i = 0; i < 2; i++) {
        PyObject *module = PyImport_ImportModule("failing");
        CX_CHECK(module == NULL && PyErr_Occurred() != NULL);
        PyErr_Clear();
        atomic_fetch_add(&state->raised, 1);
    }
    raw_leave();
}

static void check(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(atomic_load(&state->raised) == 4);
    PyThreadState *own = PyEval_SaveThread();
    raw_interp_end(state->interps[0]);
    raw_interp_end(state->interps[1]);
    PyEval_RestoreThread(own);
}

const struct cx_scenario scenario_interp_failing_import = {
    .summary = "threads in subinterpreters import an extension module whose PyInit function raises",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .wall_ms_max = 120000,
    .actors = {{"importer", importer, .count = 2}},
    .tags = "interp,import",
    .refs = "gh-144601",
};
