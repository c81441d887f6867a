// SPDX-License-Identifier: Apache-2.0
//
// plain/abba_deadlock: two threads take two mutexes in opposite order.
// Question: can both wait for ever?
// Verdict:  yes, when each holds its first mutex; reported as a deadlock with both threads in the cycle.
// How:      one preemption, between the two locks of either thread.
#include "harness/scenario.h"

#include <pthread.h>

struct state {
    pthread_mutex_t a; // const after init
    pthread_mutex_t b; // const after init
    int sum;           // under a and b
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    pthread_mutex_init(&state->a, NULL);
    pthread_mutex_init(&state->b, NULL);
    return 0;
}

static void add(struct state *state, pthread_mutex_t *first, pthread_mutex_t *second)
{
    pthread_mutex_lock(first);
    pthread_mutex_lock(second);
    state->sum++;
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
}

static void forwards(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    add(state, &state->a, &state->b);
}

static void backwards(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    add(state, &state->b, &state->a);
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(state->sum == 2);
}

const struct cx_scenario scenario_plain_abba_deadlock = {
    .summary = "two threads take two mutexes in opposite order",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"forwards", forwards}, {"backwards", backwards}},
    .expect = CX_EXPECT_DEADLOCK,
    .tags = "plain,deadlock",
};
