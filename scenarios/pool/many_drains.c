// SPDX-License-Identifier: Apache-2.0
//
// pool/many_drains: threads drop references from outside while several others drain, each in another way.
// Question: can two drains that meet lose a reference, take it twice, or both leave it to the other?
// Verdict:  never: after the last drain nothing waits, and every object has been destroyed once.
// How:      attach, assume, resume and an explicit drain at once, which PyO3's test_detached_drop_is_collected_on_next_
//           attach and test_attach_guard_drop_deferred_references try one by one.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#include <stdatomic.h>

#define DROPPERS 2
#define DRAINERS 3
#define EACH 3

struct state {
    struct pyrt_pool_stats before;     // const after init
    PyObject *objects[DROPPERS][EACH]; // owner thread only: the dropper, then the pool
    atomic_int destroyed;              // atomic
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
        state->objects[i / EACH][i % EACH] = PyCapsule_New(state, NULL, on_destroy);
        if (state->objects[i / EACH][i % EACH] == NULL) {
            return -1;
        }
    }
    return 0;
}

static void dropper(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    for (int i = 0; i < EACH; i++) {
        CX_CHECK(pyrt_pool_decref(state->objects[cx_actor_index(run)][i]) == PYRT_OK);
    }
}

static void by_attach(void)
{
    struct pyrt_attach attach = {0};
    CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
    CX_CHECK(pyrt_pool_drain() == PYRT_OK);
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

static void by_assume(void)
{
    struct pyrt_attach attach = {0};
    PyGILState_STATE gilstate = PyGILState_Ensure();
    CX_CHECK(pyrt_attach_assume(&attach) == PYRT_OK);
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
    PyGILState_Release(gilstate);
}

static void by_resume(void)
{
    struct pyrt_attach attach = {0};
    struct pyrt_detach detach = {0};
    CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
    CX_CHECK(pyrt_detach_begin(&detach) == PYRT_OK);
    CX_CHECK(pyrt_detach_end(&detach) == PYRT_OK);
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

static void drainer(struct cx_run *run, void *memory)
{
    static void (*const ways[DRAINERS])(void) = {by_attach, by_assume, by_resume};
    (void)memory;
    ways[cx_actor_index(run)]();
    ways[(cx_actor_index(run) + 1) % DRAINERS]();
}

static void check(struct cx_run *run, void *memory)
{
    const struct state *state = memory;
    struct pyrt_attach attach = {0};
    struct pyrt_pool_stats stats;
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(pyrt_attach_assume(&attach) == PYRT_OK);
    // Without the GIL an object is destroyed by the thread that made it, which is this one, when it next looks.
    PyGC_Collect();
    pyrt_pool_stats(&stats);
    CX_CHECK(stats.queued - state->before.queued == DROPPERS * EACH);
    CX_CHECK(stats.drained == stats.queued && stats.leaked == 0);
    CX_CHECK(stats.peak >= 1 && stats.peak <= stats.queued);
    CX_CHECK(atomic_load(&state->destroyed) == DROPPERS * EACH);
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

const struct cx_scenario scenario_pool_many_drains = {
    .summary = "threads drop references from outside while several others drain, each in another way",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"dropper", dropper, .count = DROPPERS}, {"drainer", drainer, .count = DRAINERS}},
    .cycle = CX_CYCLE,
    .tags = "pool,runtime",
    .refs = "PyO3#6200",
};
