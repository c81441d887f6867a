// SPDX-License-Identifier: Apache-2.0
//
// guard/guard_across_threads: guards are opened attached, handed to native threads, used there and closed there, while
// the main thread finalizes.
// Question: does each guard hold finalization up until it is closed, whoever closes it, in whatever order?
// Verdict:  yes: no thread sees the interpreter finalized before it has closed its guard.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"
#include "scenarios/common/steps.h"

#include <stdatomic.h>

#define WORKERS 3

struct state {
    struct pyrt_guard *guards[WORKERS]; // owner thread only: the worker's
    atomic_int finalized;               // atomic
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < WORKERS; i++) {
        if (pyrt_guard_from_current(&state->guards[i]) != PYRT_OK) {
            return -1;
        }
    }
    return 0;
}

static void worker(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    struct pyrt_guard *guard = state->guards[cx_actor_index(run)];
    cx_point("worker has a guard");
    if (cx_actor_index(run) != 0) { // one closes its guard unused
        struct pyrt_ensure ensure = {0};
        struct pyrt_ensure nested = {0};
        CX_CHECK(pyrt_ensure_begin(&ensure, guard) == PYRT_OK);
        CX_CHECK(pyrt_ensure_begin(&nested, guard) == PYRT_OK);
        CX_CHECK(pyrt_ensure_end(&ensure) == PYRT_OUT_OF_ORDER);
        CX_CHECK(pyrt_ensure_end(&nested) == PYRT_OK);
        CX_CHECK(pyrt_ensure_end(&ensure) == PYRT_OK);
    }
    CX_CHECK(!atomic_load(&state->finalized));
    pyrt_guard_close(guard);
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    steps_finalize(&state->finalized);
}

static void check(struct cx_run *run, void *memory)
{
    (void)memory;
    CX_CHECK(!cx_any_parked(run));
}

const struct cx_scenario scenario_guard_guard_across_threads = {
    .summary = "guards are used and closed by native threads while the main thread finalizes",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"worker", worker, .count = WORKERS}},
    .tags = "guard,finalize,runtime",
    .refs = "gh-149101,PEP 788",
};
