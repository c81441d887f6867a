// SPDX-License-Identifier: Apache-2.0
//
// plain/check_then_act_ok: two threads test and take the last ticket in one compare-exchange.
// Question: does the corrected twin of plain/check_then_act sell the ticket once?
// Verdict:  exactly once, on every schedule.
// How:      any schedule.
#include "harness/scenario.h"

#include <stdatomic.h>

struct state {
    atomic_int tickets; // atomic
    atomic_int sold;    // atomic
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
    int left = atomic_load(&state->tickets);
    while (left > 0) {
        if (atomic_compare_exchange_strong(&state->tickets, &left, left - 1)) {
            atomic_fetch_add(&state->sold, 1);
            return;
        }
    }
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(atomic_load(&state->tickets) == 0);
    CX_CHECK(atomic_load(&state->sold) == 1);
}

const struct cx_scenario scenario_plain_check_then_act_ok = {
    .summary = "two threads test and take the last ticket in one compare-exchange",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"buyer", buyer, .count = 2}},
    .tags = "plain,atomicity",
};
