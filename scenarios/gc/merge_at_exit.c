// SPDX-License-Identifier: Apache-2.0
//
// gc/merge_at_exit: threads drop the last references to each other's objects while their makers leave for good.
// Question: is an object lost, or destroyed twice, when its owner's queue is drained as the owner goes?
// Verdict:  neither: each object is destroyed once, on whichever thread.
// How:      without the GIL, the drop of a foreign object is queued for its owner, which is just clearing its thread
//           state. A thread that comes later may get the same place for its own.
#include <Python.h>

#include "harness/scenario.h"

#include <stdatomic.h>

#define THREADS 3
#define EACH 3

struct state {
    PyObject *_Atomic objects[THREADS][EACH]; // atomic: made by one thread, dropped by the next
    atomic_int made;                          // atomic
    atomic_int destroyed;                     // atomic
};

static void on_destroy(PyObject *capsule)
{
    struct state *state = PyCapsule_GetPointer(capsule, NULL);
    CX_CHECK(PyThreadState_GetUnchecked() != NULL);
    atomic_fetch_add(&state->destroyed, 1);
}

static void maker(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    uint32_t self = cx_actor_index(run);
    PyGILState_STATE gil = PyGILState_Ensure();
    for (int i = 0; i < EACH; i++) {
        PyObject *object = PyCapsule_New(state, NULL, on_destroy);
        CX_CHECK(object != NULL);
        atomic_fetch_add(&state->made, 1);
        atomic_store(&state->objects[self][i], object);
    }
    PyGILState_Release(gil);
    gil = PyGILState_Ensure();
    for (int i = 0; i < EACH; i++) {
        Py_XDECREF(atomic_exchange(&state->objects[(self + 1) % THREADS][i], NULL));
    }
    PyGILState_Release(gil);
}

static void check(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    for (int i = 0; i < THREADS * EACH; i++) {
        Py_XDECREF(atomic_exchange(&state->objects[i / EACH][i % EACH], NULL));
    }
    PyGC_Collect();
    CX_CHECK(atomic_load(&state->made) == THREADS * EACH);
    CX_CHECK(atomic_load(&state->destroyed) == THREADS * EACH);
}

const struct cx_scenario scenario_gc_merge_at_exit = {
    .summary = "threads drop the last references to each other's objects while their makers leave for good",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .check = check,
    .actors = {{"maker", maker, .count = THREADS}},
    .tags = "gc,refcount,detach",
    .refs = "PEP 703",
};
