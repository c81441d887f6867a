// SPDX-License-Identifier: Apache-2.0
//
// plain/bench_handoff: two threads do nothing but yield to each other.
// Question: what does it cost to hand the token from one thread to the other?
// Verdict:  both threads make all their rounds.
// How:      a benchmark: a thread that yields is not picked again while another can run, so that every yield is one
//           hand-off, on every schedule.
#include "harness/scenario.h"

#include <sched.h>

#define ROUNDS 20000 // at some 4 us a hand-off this is 2 * 20000 * 4 us = 160 ms a run, all of it hand-offs

struct state {
    int rounds[2]; // owner thread only
};

static void yielder(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    int *rounds = &state->rounds[cx_actor_index(run)];
    while (*rounds < ROUNDS) {
        sched_yield();
        (*rounds)++;
    }
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(state->rounds[0] == ROUNDS && state->rounds[1] == ROUNDS);
}

const struct cx_scenario scenario_plain_bench_handoff = {
    .summary = "two threads do nothing but yield to each other",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .check = check,
    .actors = {{"yielder", yielder, .count = 2}},
    .tags = "plain,bench",
};
