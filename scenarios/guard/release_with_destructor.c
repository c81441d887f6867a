// SPDX-License-Identifier: Apache-2.0
//
// guard/release_with_destructor: what an ensure leaves in its thread state ensures again when the state is cleared.
// Question: can the end of an ensure be entered again by the destructors that it runs, while main finalizes?
// Verdict:  yes, and each runs exactly once, attached, before Py_FinalizeEx returns.
// How:      two threads, each with a guard from setup. CPython's test_thread_state_release_with_destructor and
//           pybind11's test_pythread_state_clear_destructor, which know no finalization.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"
#include "scenarios/common/steps.h"

#include <stdatomic.h>

#define WORKERS 2

struct slot {
    struct pyrt_guard *guard; // owner thread only: the worker
    atomic_int destroyed;     // atomic
};

struct state {
    struct slot slots[WORKERS]; // owner thread only: see there
    atomic_int finalized;       // atomic
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < WORKERS; i++) {
        if (pyrt_guard_from_current(&state->slots[i].guard) != PYRT_OK) {
            return -1;
        }
    }
    return 0;
}

static void on_destroy(PyObject *capsule)
{
    struct slot *slot = PyCapsule_GetPointer(capsule, NULL);
    struct pyrt_ensure ensure = {0};
    const PyThreadState *mine = PyThreadState_Get();
    CX_CHECK(pyrt_ensure_begin(&ensure, slot->guard) == PYRT_OK);
    CX_CHECK(PyThreadState_Get() == mine);
    cx_point("inside, inside the end");
    CX_CHECK(pyrt_ensure_end(&ensure) == PYRT_OK);
    atomic_fetch_add(&slot->destroyed, 1);
}

static void worker(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    struct slot *slot = &state->slots[cx_actor_index(run)];
    struct pyrt_ensure ensure = {0};
    CX_CHECK(pyrt_ensure_begin(&ensure, slot->guard) == PYRT_OK);
    PyObject *capsule = PyCapsule_New(slot, NULL, on_destroy);
    PyObject *dict = PyThreadState_GetDict();
    CX_CHECK(capsule != NULL && dict != NULL && PyDict_SetItemString(dict, "late", capsule) == 0);
    Py_DECREF(capsule);
    CX_CHECK(pyrt_ensure_end(&ensure) == PYRT_OK);
    CX_CHECK(atomic_load(&slot->destroyed) == 1);
    CX_CHECK(PyThreadState_GetUnchecked() == NULL && !atomic_load(&state->finalized));
    pyrt_guard_close(slot->guard);
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    steps_finalize(&state->finalized);
}

static void check(struct cx_run *run, void *memory)
{
    const struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    for (int i = 0; i < WORKERS; i++) {
        CX_CHECK(atomic_load(&state->slots[i].destroyed) == 1);
    }
}

const struct cx_scenario scenario_guard_release_with_destructor = {
    .summary = "what an ensure leaves in its thread state ensures again when the state is cleared",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"worker", worker, .count = WORKERS}},
    .tags = "guard,finalize,runtime,reentrancy",
    .refs = "gh-149101,PEP 788",
};
