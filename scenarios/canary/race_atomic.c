// SPDX-License-Identifier: Apache-2.0
//
// canary/race_atomic: one thread increments an integer atomically, another one plainly.
// Question: is an atomic operation that races reported where the program has it, although a wrapper of ours is between?
// Verdict:  it must: a data race between `atomically` and `plainly`, each at its own line.
// How:      any schedule in which both run, in either order.
// Misuse:   the race, on purpose.
#include <Python.h>

#include "harness/scenario.h"

#define ROUNDS 3

struct state {
    int shared; // under no lock, which is the race
};

__attribute__((noinline)) static void atomically(struct state *state)
{
    __atomic_fetch_add(&state->shared, 1, __ATOMIC_SEQ_CST);
}

__attribute__((noinline)) static void plainly(struct state *state)
{
    state->shared++;
}

static void careful(struct cx_run *run, void *memory)
{
    (void)run;
    for (int i = 0; i < ROUNDS; i++) {
        atomically(memory);
    }
}

static void careless(struct cx_run *run, void *memory)
{
    (void)run;
    for (int i = 0; i < ROUNDS; i++) {
        plainly(memory);
        cx_point("between increments");
    }
}

const struct cx_scenario scenario_canary_race_atomic = {
    .summary = "two threads increment an integer, one of them atomically",
    .builds = CX_BUILD_GIL | CX_BUILD_FREE_THREADED | CX_BUILD_TSAN,
    .state_bytes = sizeof(struct state),
    .actors = {{"careful", careful}, {"careless", careless}},
    .expect = CX_EXPECT_RACE,
    .tags = "canary,race",
};
