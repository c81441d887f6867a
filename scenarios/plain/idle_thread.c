// SPDX-License-Identifier: Apache-2.0
//
// plain/idle_thread: two threads take the last ticket in two atomic steps, and a third one does something else.
// Question: is the third one told apart from those that matter?
// Verdict:  the check fails, and `constrictor explain` says that the idler is not needed for it.
// How:      as plain/check_then_act; the idler has points enough of its own for switches that mean nothing.
#include "harness/scenario.h"

#include <stdatomic.h>

struct state {
    atomic_int tickets; // atomic
    atomic_int idled;   // atomic
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    atomic_init(&state->tickets, 1);
    atomic_init(&state->idled, 0);
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

static void idler(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < 4; i++) {
        atomic_fetch_add(&state->idled, 1);
    }
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(atomic_load(&state->tickets) == 0);
}

const struct cx_scenario scenario_plain_idle_thread = {
    .summary = "two threads take the last ticket, a third does something else",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"buyer", buyer, .count = 2}, {"idler", idler}},
    .expect = CX_EXPECT_INVARIANT,
    .tags = "plain,atomicity",
};
