// SPDX-License-Identifier: Apache-2.0
//
// canary/race_ended: a thread writes an integer and ends; long after that, another one writes it.
// Question: is a race reported when the thread of its older side has ended long ago?
// Verdict:  it must, in every run. ThreadSanitizer forgets the history of ended threads first; ours linger.
// How:      any schedule. The younger thread calls a function a million times in between, and each call is an event.
// Misuse:   the race, on purpose.
#include <Python.h>

#include "harness/scenario.h"

#include <sched.h>

#define CALLS 1000000

struct state {
    int shared;  // under no lock, which is the race
    int written; // atomic: relaxed, so that it orders nothing
};

__attribute__((noinline)) static void write_early(struct state *state)
{
    state->shared = 1;
}

__attribute__((noinline)) static void write_late(struct state *state)
{
    state->shared = 2;
}

__attribute__((noinline)) static void work(volatile int *count)
{
    ++*count;
}

static void early(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    write_early(state);
    __atomic_store_n(&state->written, 1, __ATOMIC_RELAXED);
}

static void late(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    while (__atomic_load_n(&state->written, __ATOMIC_RELAXED) == 0) {
        sched_yield();
    }
    volatile int count = 0;
    for (int i = 0; i < CALLS; i++) {
        work(&count);
    }
    write_late(state);
}

const struct cx_scenario scenario_canary_race_ended = {
    .summary = "a thread writes an integer and ends; long after that, another one writes it",
    .builds = CX_BUILD_GIL | CX_BUILD_FREE_THREADED | CX_BUILD_TSAN,
    .state_bytes = sizeof(struct state),
    .actors = {{"early", early}, {"late", late}},
    .expect = CX_EXPECT_RACE,
    .tags = "canary,race",
};
