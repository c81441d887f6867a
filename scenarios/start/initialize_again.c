// SPDX-License-Identifier: Apache-2.0
//
// start/initialize_again: native threads call Py_Initialize while main is initialized, attaches and finalizes.
// Question: is a second Py_Initialize nothing, on whichever thread, as documented?
// Verdict:  yes as long as Python is initialized: it needs no thread state, and changes none.
// How:      the threads call it with and without a thread state; main waits for them before it finalizes.
#include <Python.h>

#include "harness/scenario.h"

#define THREADS 2
#define ROUNDS 3

static void caller(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    for (int i = 0; i < ROUNDS; i++) {
        Py_Initialize();
        CX_CHECK(PyThreadState_GetUnchecked() == NULL);
        PyGILState_STATE gil = PyGILState_Ensure();
        PyThreadState *tstate = PyThreadState_Get();
        Py_InitializeEx(0);
        CX_CHECK(PyThreadState_Get() == tstate && Py_IsInitialized());
        PyGILState_Release(gil);
    }
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)memory;
    Py_Initialize();
    Py_BEGIN_ALLOW_THREADS cx_wait_actors(run);
    Py_END_ALLOW_THREADS CX_CHECK(PyInterpreterState_Next(PyInterpreterState_Head()) == NULL);
    CX_CHECK(Py_FinalizeEx() == 0);
}

const struct cx_scenario scenario_start_initialize_again = {
    .summary = "native threads call Py_Initialize while main is initialized, attaches and finalizes",
    .builds = CX_BUILD_ANY,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"caller", caller, .count = THREADS}},
    .tags = "start,finalize",
    .refs = "gh-130421",
};
