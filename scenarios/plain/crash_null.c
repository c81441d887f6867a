// SPDX-License-Identifier: Apache-2.0
//
// plain/crash_null: a thread tests a pointer and reads it again, while another replaces what it points to.
// Question: can the second read find the NULL that the replacer leaves there for a moment?
// Verdict:  yes; the thread writes to address zero: a crash.
// How:      two switches, out of the window between test and use, and back inside the replacement.
#include "harness/scenario.h"

#include <stdatomic.h>
#include <stddef.h>

struct state {
    int old;             // owner thread only: whoever read `target`
    int fresh;           // owner thread only: whoever read `target`
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
        volatile int *target = atomic_load(&state->target);
        *target = 1;
    }
}

static void replacer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    atomic_store(&state->target, NULL);
    atomic_store(&state->target, &state->fresh);
}

const struct cx_scenario scenario_plain_crash_null = {
    .summary = "a pointer is tested, replaced by another thread, and used",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"user", user}, {"replacer", replacer}},
    .expect = CX_EXPECT_CRASH,
    .tags = "plain,crash",
};
