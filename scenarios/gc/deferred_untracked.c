// SPDX-License-Identifier: Apache-2.0
//
// gc/deferred_untracked: deferred reference counting is asked for on an object that the collector does not track.
// Question: can such an object still die?
// Verdict:  yes: without the GIL the request is refused from 3.14.7 on. Before, it is granted, and nobody frees it.
// How:      each thread does it with a capsule of its own, whose destructor tells; then all is collected.
#include <Python.h>

#include "harness/scenario.h"

#include <stdatomic.h>

#define THREADS 2

struct state {
    atomic_int destroyed; // atomic
};

static void on_destroy(PyObject *capsule)
{
    struct state *state = PyCapsule_GetPointer(capsule, NULL);
    atomic_fetch_add(&state->destroyed, 1);
}

static void asker(struct cx_run *run, void *memory)
{
    (void)run;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *capsule = PyCapsule_New(memory, NULL, on_destroy);
    CX_CHECK(capsule != NULL);
#if PY_VERSION_HEX >= 0x030E0000
    PyObject_GC_UnTrack(capsule);
    PyUnstable_Object_EnableDeferredRefcount(capsule);
#endif
    Py_DECREF(capsule);
    PyGC_Collect();
    PyGILState_Release(gil);
}

static void check(struct cx_run *run, void *memory)
{
    const struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    PyGC_Collect();
    CX_CHECK(atomic_load(&state->destroyed) == THREADS);
}

const struct cx_scenario scenario_gc_deferred_untracked = {
    .summary = "deferred reference counting is asked for on an object that the collector does not track",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .check = check,
    .actors = {{"asker", asker, .count = THREADS}},
    .tags = "gc,refcount",
    .refs = "gh-123619",
    .python_min = "3.14",
};
