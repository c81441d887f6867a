// SPDX-License-Identifier: Apache-2.0
//
// canary/crash: a thread tests a pointer and reads it again, while another replaces what it points to.
// Question: is a crash found that needs two switches at the right places?
// Verdict:  it must be found: a write to address zero in `user`.
// How:      out of the window between test and use, and back while the pointer is NULL; by luck it never happens.
// Misuse:   the check-then-act, on purpose.
#include <Python.h>

#include "harness/scenario.h"

#include <stdatomic.h>
#include <stddef.h>

struct state {
    int old;             // owner thread only: `user`
    int fresh;           // owner thread only: `user`
    int *_Atomic target; // atomic
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    atomic_init(&state->target, &state->old);
    return 0;
}

static void user(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    if (atomic_load(&state->target) != NULL) {
        cx_point("between test and use");
        volatile int *target = atomic_load(&state->target);
        *target = 1;
    }
}

static void replacer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    atomic_store(&state->target, NULL);
    cx_point("the pointer is NULL");
    atomic_store(&state->target, &state->fresh);
}

const struct cx_scenario scenario_canary_crash = {
    .summary = "a pointer is tested, replaced by another thread, and used",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"user", user}, {"replacer", replacer}},
    .expect = CX_EXPECT_CRASH,
    .tags = "canary,crash",
};
