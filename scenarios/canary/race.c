// SPDX-License-Identifier: Apache-2.0
//
// canary/race: two threads increment a plain integer.
// Question: does ThreadSanitizer still see a race when only one thread runs at a time?
// Verdict:  it must: a data race between `increment` and `increment`. If not, the scheduler's hand-off orders too much.
// How:      any schedule in which both run. canary/race_locked is the same with its lock.
// Misuse:   the race, on purpose.
#include <Python.h>

#include "harness/scenario.h"

#define ROUNDS 3

struct state {
    int shared; // under no lock, which is the race
};

__attribute__((noinline)) static void increment(struct state *state)
{
    state->shared++;
}

static void racer(struct cx_run *run, void *memory)
{
    (void)run;
    for (int i = 0; i < ROUNDS; i++) {
        increment(memory);
        cx_point("between increments");
    }
}

const struct cx_scenario scenario_canary_race = {
    .summary = "two threads increment a plain integer",
    .builds = CX_BUILD_GIL | CX_BUILD_FREE_THREADED | CX_BUILD_TSAN,
    .state_bytes = sizeof(struct state),
    .actors = {{"racer", racer, .count = 2}},
    .expect = CX_EXPECT_RACE,
    .tags = "canary,race",
};
