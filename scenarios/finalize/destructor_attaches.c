// SPDX-License-Identifier: Apache-2.0
//
// finalize/destructor_attaches: destructors that run while a thread state is cleared, or modules are torn down, attach.
// Question: does PyGILState_Ensure work in a destructor, on the very thread that is leaving or finalizing?
// Verdict:  yes: it finds the thread's own state and gives it back as it was.
// How:      two threads leave with an object in their state's dictionary; main finalizes with one in __main__.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#include <stdatomic.h>

#define THREADS 2

struct state {
    atomic_int destroyed; // atomic
};

static void attach_again(void *memory)
{
    struct state *state = memory;
    PyThreadState *before = PyThreadState_Get();
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *list = PyList_New(1);
    CX_CHECK(list != NULL && PyThreadState_Get() == before);
    Py_DECREF(list);
    PyGILState_Release(gil);
    CX_CHECK(PyThreadState_Get() == before);
    atomic_fetch_add(&state->destroyed, 1);
}

static void on_destroy(PyObject *capsule)
{
    attach_again(PyCapsule_GetPointer(capsule, NULL));
}

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    return raw_at_teardown(attach_again, memory);
}

static void leaver(struct cx_run *run, void *memory)
{
    (void)run;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *capsule = PyCapsule_New(memory, NULL, on_destroy);
    CX_CHECK(capsule != NULL && PyDict_SetItemString(PyThreadState_GetDict(), "at_exit", capsule) == 0);
    Py_DECREF(capsule);
    PyGILState_Release(gil);
}

static void finalizer(struct cx_run *run, void *memory)
{
    const struct state *state = memory;
    PyThreadState *tstate = PyEval_SaveThread();
    cx_wait_actors(run);
    PyEval_RestoreThread(tstate);
    CX_CHECK(atomic_load(&state->destroyed) == THREADS);
    CX_CHECK(Py_FinalizeEx() == 0);
    CX_CHECK(atomic_load(&state->destroyed) == THREADS + 1);
}

const struct cx_scenario scenario_finalize_destructor_attaches = {
    .summary = "destructors that run while a thread state is cleared, or modules are torn down, attach",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"leaver", leaver, .count = THREADS}},
    .tags = "finalize,attach,gilstate",
    .refs = "gh-119585",
};
