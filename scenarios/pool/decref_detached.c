// SPDX-License-Identifier: Apache-2.0
//
// pool/decref_detached: threads without a thread state drop references while others attach and leave.
// Question: is a deferred decrement ever lost, or done twice?
// Verdict:  never: shared objects end with the one reference that main kept, sole references end in one destructor.
// How:      two droppers push into the pool, two threads drain it by attaching, main's own attach takes the rest.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#include <stdatomic.h>

#define DROPPERS 2
#define EACH 3 // objects of each kind and dropper

struct state {
    struct pyrt_pool_stats before;    // const after init
    PyObject *shared[DROPPERS][EACH]; // const after init
    PyObject *sole[DROPPERS][EACH];   // owner thread only: the dropper, then the pool
    atomic_int destroyed;             // atomic
};

static void on_destroy(PyObject *capsule)
{
    struct state *state = PyCapsule_GetPointer(capsule, NULL);
    CX_CHECK(PyThreadState_GetUnchecked() != NULL);
    atomic_fetch_add(&state->destroyed, 1);
}

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    pyrt_pool_stats(&state->before);
    for (int i = 0; i < DROPPERS * EACH; i++) {
        PyObject *shared = PyCapsule_New(state, NULL, on_destroy);
        PyObject *sole = PyCapsule_New(state, NULL, on_destroy);
        if (shared == NULL || sole == NULL) {
            return -1;
        }
        state->shared[i / EACH][i % EACH] = Py_NewRef(shared); // main keeps one, the dropper gets one
        state->sole[i / EACH][i % EACH] = sole;
    }
    return 0;
}

static void dropper(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    uint32_t self = cx_actor_index(run);
    for (int i = 0; i < EACH; i++) {
        CX_CHECK(pyrt_pool_decref(state->shared[self][i]) == PYRT_OK);
        CX_CHECK(pyrt_pool_decref(state->sole[self][i]) == PYRT_OK);
    }
}

static void visitor(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    for (int i = 0; i < 2; i++) {
        struct pyrt_attach attach = {0};
        CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
        CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
    }
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_attach attach = {0};
    CX_CHECK(pyrt_attach_assume(&attach) == PYRT_OK);
    // Without the GIL an object is destroyed by the thread that made it, which is this one, when it next looks.
    PyGC_Collect();
    struct pyrt_pool_stats stats;
    pyrt_pool_stats(&stats);
    CX_CHECK(stats.queued - state->before.queued == DROPPERS * EACH * 2);
    CX_CHECK(stats.drained == stats.queued);
    CX_CHECK(stats.leaked == 0);
    CX_CHECK(atomic_load(&state->destroyed) == DROPPERS * EACH);
    for (int i = 0; i < DROPPERS * EACH; i++) {
        PyObject *shared = state->shared[i / EACH][i % EACH];
        CX_CHECK(Py_REFCNT(shared) == 1);
        CX_CHECK(pyrt_pool_decref(shared) == PYRT_OK);
    }
    CX_CHECK(atomic_load(&state->destroyed) == 2 * DROPPERS * EACH);
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

const struct cx_scenario scenario_pool_decref_detached = {
    .summary = "threads without a thread state drop references while others attach and leave",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"dropper", dropper, .count = DROPPERS}, {"visitor", visitor, .count = 2}},
    .cycle = CX_CYCLE,
    .tags = "pool,runtime",
    .refs = "PyO3#4095,tvm-ffi#528",
};
