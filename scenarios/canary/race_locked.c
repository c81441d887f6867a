// SPDX-License-Identifier: Apache-2.0
//
// canary/race_locked: two threads increment a plain integer under a mutex.
// Question: does ThreadSanitizer keep silent about a program that is right?
// Verdict:  it must; and the total is exact. If not, the interposed lock hides its order from ThreadSanitizer.
// How:      any schedule. canary/race is the same without the lock.
#include <Python.h>

#include "harness/scenario.h"

#include <pthread.h>

#define ROUNDS 3

struct state {
    pthread_mutex_t mutex; // const after init
    int shared;            // under mutex
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    pthread_mutex_init(&state->mutex, NULL);
    return 0;
}

__attribute__((noinline)) static void increment(struct state *state)
{
    state->shared++;
}

static void racer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&state->mutex);
        increment(state);
        pthread_mutex_unlock(&state->mutex);
        cx_point("between increments");
    }
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(state->shared == 2 * ROUNDS);
}

const struct cx_scenario scenario_canary_race_locked = {
    .summary = "two threads increment a plain integer under a mutex",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"racer", racer, .count = 2}},
    .tags = "canary,race",
};
