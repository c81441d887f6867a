// SPDX-License-Identifier: Apache-2.0
//
// canary/deadlock: two threads take two mutexes in opposite order, inside a process that runs CPython.
// Question: is a deadlock that needs a preemption found, and named with both threads and both mutexes?
// Verdict:  it must be found, and called a deadlock at the step where the cycle closes.
// How:      one preemption, between the two locks of either thread; the main thread only waits.
// Misuse:   the inverted order, on purpose.
#include <Python.h>

#include "harness/scenario.h"

#include <pthread.h>

struct state {
    pthread_mutex_t a; // const after init
    pthread_mutex_t b; // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    pthread_mutex_init(&state->a, NULL);
    pthread_mutex_init(&state->b, NULL);
    return 0;
}

static void forwards(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    pthread_mutex_lock(&state->a);
    pthread_mutex_lock(&state->b);
    pthread_mutex_unlock(&state->b);
    pthread_mutex_unlock(&state->a);
}

static void backwards(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    pthread_mutex_lock(&state->b);
    pthread_mutex_lock(&state->a);
    pthread_mutex_unlock(&state->a);
    pthread_mutex_unlock(&state->b);
}

const struct cx_scenario scenario_canary_deadlock = {
    .summary = "two threads take two mutexes in opposite order",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"forwards", forwards}, {"backwards", backwards}},
    .expect = CX_EXPECT_DEADLOCK,
    .tags = "canary,deadlock",
};
