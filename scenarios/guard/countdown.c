// SPDX-License-Identifier: Apache-2.0
//
// guard/countdown: threads open many guards and close them in an order that the schedule chooses; main finalizes.
// Question: is every open guard counted, up and down, until the last one?
// Verdict:  yes: nobody sees the end of finalization before all guards that were given out are closed.
// How:      a count of our own beside CPython's. test_interpreter_guards, test_interp_guard_countdown and
//           _view_countdown, on two threads and against finalization.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"
#include "scenarios/common/steps.h"

#include <stdatomic.h>

#define EACH 4

struct state {
    struct pyrt_view *view; // const after init
    atomic_int open;        // atomic: guards that some thread holds
    atomic_int finalized;   // atomic
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    return pyrt_view_from_current(&state->view) == PYRT_OK ? 0 : -1;
}

static void counter(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_guard *guards[EACH] = {NULL};
    uint32_t left = 0;
    for (int i = 0; i < EACH; i++) {
        struct pyrt_guard *guard = NULL;
        enum pyrt_status status = pyrt_guard_from_view(&guard, state->view);
        if (status == PYRT_OK) {
            CX_CHECK(!atomic_load(&state->finalized));
            atomic_fetch_add(&state->open, 1);
            guards[left++] = guard;
        } else {
            CX_CHECK(status == PYRT_FINALIZING || status == PYRT_GONE);
        }
    }
    while (left > 0) {
        uint32_t which = cx_choose(left);
        CX_CHECK(!atomic_load(&state->finalized));
        atomic_fetch_sub(&state->open, 1);
        pyrt_guard_close(guards[which]);
        guards[which] = guards[--left];
    }
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    steps_finalize(&state->finalized);
    CX_CHECK(atomic_load(&state->open) == 0);
}

static void check(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    pyrt_view_close(state->view);
}

const struct cx_scenario scenario_guard_countdown = {
    .summary = "threads open many guards and close them in a chosen order; main finalizes",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"counter", counter, .count = 2}},
    .tags = "guard,finalize,runtime",
    .refs = "gh-149101,PEP 788",
};
