// SPDX-License-Identifier: Apache-2.0
//
// plain/check_then_act: two threads take a ticket when one is left, in two atomic steps instead of one.
// Question: can both take the last ticket?
// Verdict:  yes: each step is atomic, the pair is not, and fewer than no tickets are left.
// How:      two switches, out of the window between test and take and back. plain/check_then_act_ok is the twin.
#include "harness/scenario.h"

#include <stdatomic.h>

struct state {
    atomic_int tickets; // atomic
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    atomic_init(&state->tickets, 1);
    return 0;
}

static void buyer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    if (atomic_load(&state->tickets) > 0) {
        atomic_fetch_sub(&state->tickets, 1);
    }
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(atomic_load(&state->tickets) == 0);
}

const struct cx_scenario scenario_plain_check_then_act = {
    .summary = "two threads test and take the last ticket in two atomic steps",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"buyer", buyer, .count = 2}},
    .expect = CX_EXPECT_INVARIANT,
    .tags = "plain,atomicity",
};
