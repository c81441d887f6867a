// SPDX-License-Identifier: Apache-2.0
//
// pool/drop_after_the_end: threads drop references after Py_FinalizeEx, while main starts Python again.
// Question: does a late drop touch its dead object, start an interpreter, or land in the next one's pool?
// Verdict:  none of these: it is counted as dropped by the pool that it was meant for.
// How:      one dropper goes through the old handle, at any time after the end; one names no pool, and is done before
//           the restart. PyO3's test_pybuffer_drop_without_interpreter, with a successor.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#include <semaphore.h>
#include <stdatomic.h>

#define EACH 3

struct state {
    struct pyrt_pool *pool;     // const after init: the first interpreter's
    PyObject *objects[2][EACH]; // owner thread only: the dropper
    sem_t ended;                // const after init: Py_FinalizeEx has returned
    sem_t nameless_done;        // const after init
    atomic_int destroyed;       // atomic
};

static void on_destroy(PyObject *capsule)
{
    struct state *state = PyCapsule_GetPointer(capsule, NULL);
    atomic_fetch_add(&state->destroyed, 1);
}

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_attach attach = {0};
    for (int i = 0; i < 2 * EACH; i++) {
        state->objects[i / EACH][i % EACH] = PyCapsule_New(state, NULL, on_destroy);
    }
    if (sem_init(&state->ended, 0, 0) != 0 || sem_init(&state->nameless_done, 0, 0) != 0 ||
        pyrt_attach_assume(&attach) != PYRT_OK) {
        return -1;
    }
    state->pool = pyrt_pool_open();
    return state->pool != NULL && pyrt_attach_release(&attach) == PYRT_OK ? 0 : -1;
}

static void by_handle(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(sem_wait(&state->ended) == 0);
    for (int i = 0; i < EACH; i++) {
        CX_CHECK(pyrt_pool_decref_in(state->pool, state->objects[0][i]) == PYRT_FINALIZING);
    }
}

static void nameless(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(sem_wait(&state->ended) == 0);
    for (int i = 0; i < EACH; i++) {
        CX_CHECK(pyrt_pool_decref(state->objects[1][i]) == PYRT_FINALIZING);
    }
    CX_CHECK(!Py_IsInitialized());
    CX_CHECK(sem_post(&state->nameless_done) == 0);
}

static int start(void *unused)
{
    (void)unused;
    return cx_python_start();
}

static void restarter(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    const struct pyrt_init init = {.start = start, .restart = 1};
    struct pyrt_attach attach = {0};
    CX_CHECK(Py_FinalizeEx() == 0);
    CX_CHECK(sem_post(&state->ended) == 0 && sem_post(&state->ended) == 0);
    CX_CHECK(sem_wait(&state->nameless_done) == 0);
    CX_CHECK(pyrt_initialize(&init) == PYRT_OK);
    CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

static void check(struct cx_run *run, void *memory)
{
    const struct state *state = memory;
    struct pyrt_pool_stats stats;
    pyrt_pool_stats_in(state->pool, &stats);
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(stats.dropped == 2 * EACH && stats.drained == 0);
    pyrt_pool_stats_in(NULL, &stats);
    CX_CHECK(stats.queued == 0);
    // Their capsules lived in memory that finalization has given back, or not: nobody looks.
    CX_CHECK(atomic_load(&state->destroyed) == 0);
    pyrt_pool_close(state->pool);
}

const struct cx_scenario scenario_pool_drop_after_the_end = {
    .summary = "threads drop references after Py_FinalizeEx, while main starts Python again",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .wall_ms_max = 120000,
    .actors = {{"restarter", restarter, .flags = CX_ACTOR_MAIN}, {"by_handle", by_handle}, {"nameless", nameless}},
    .tags = "pool,start,finalize,runtime",
    .refs = "PyO3#5242",
};
