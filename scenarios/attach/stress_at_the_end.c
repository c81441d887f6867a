// SPDX-License-Identifier: Apache-2.0
//
// attach/stress_at_the_end: threads attach, nest, leave, drop and release in a loop while main finalizes.
// Question: does pyrt_attach_try let a thread in to an interpreter that goes away under it?
// Verdict:  never: the thread is refused, or main waits until it has released.
// How:      CPython's test_concurrent_finalization_stress and PyO3's test_hammer_attaching_in_thread, for the fallible
//           attach, by schedules instead of by repetition; four threads beside PyGILState.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"
#include "scenarios/common/steps.h"

#include <stdatomic.h>

#define ROUNDS 3

struct state {
    atomic_int finalized; // atomic
    atomic_int entered;   // atomic
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    struct pyrt_attach attach = {0};
    return pyrt_attach_assume(&attach) == PYRT_OK && pyrt_attach_release(&attach) == PYRT_OK ? 0 : -1;
}

static void inside(struct state *state)
{
    struct pyrt_attach nested = {0};
    struct pyrt_detach detach = {0};
    PyGILState_STATE gilstate = PyGILState_Ensure();
    CX_CHECK(pyrt_attach_try(&nested) == PYRT_OK);
    CX_CHECK(pyrt_pool_decref(PyList_New(1)) == PYRT_OK);
    CX_CHECK(pyrt_detach_begin(&detach) == PYRT_OK);
    CX_CHECK(!atomic_load(&state->finalized));
    CX_CHECK(pyrt_detach_end(&detach) == PYRT_OK);
    CX_CHECK(pyrt_attach_release(&nested) == PYRT_OK);
    PyGILState_Release(gilstate);
    CX_CHECK(pyrt_is_attached() && !atomic_load(&state->finalized));
}

static void worker(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < ROUNDS; i++) {
        struct pyrt_attach attach = {0};
        enum pyrt_status status = pyrt_attach_try(&attach);
        if (status == PYRT_OK) {
            atomic_fetch_add(&state->entered, 1);
            inside(state);
            CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
        } else {
            CX_CHECK(status == PYRT_FINALIZING || status == PYRT_NOT_INITIALIZED);
        }
        CX_CHECK(PyThreadState_GetUnchecked() == NULL);
    }
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
    struct pyrt_pool_stats stats;
    pyrt_pool_stats(&stats);
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(stats.immediate == (uint64_t)atomic_load(&state->entered) && stats.queued == 0);
}

const struct cx_scenario scenario_attach_stress_at_the_end = {
    .summary = "threads attach, nest, leave, drop and release in a loop while main finalizes",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"worker", worker, .count = 4}},
    .tags = "attach,finalize,runtime",
    .refs = "gh-149101,gh-124619",
};
