// SPDX-License-Identifier: Apache-2.0
//
// plain/lost_wakeup: a waiter tests a flag without the lock that the signaller should have held.
// Question: can the signal fall between the test and the wait?
// Verdict:  yes; nobody signals again, so the waiter waits for ever: a deadlock of one thread.
// How:      one preemption between test and wait. plain/wakeup_ok is the corrected twin.
#include "harness/scenario.h"

#include <pthread.h>
#include <stdatomic.h>

struct state {
    pthread_mutex_t mutex; // const after init
    pthread_cond_t cond;   // const after init
    atomic_int ready;      // atomic
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    pthread_mutex_init(&state->mutex, NULL);
    pthread_cond_init(&state->cond, NULL);
    return 0;
}

static void waiter(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    if (!atomic_load(&state->ready)) { // the bug: the flag can change before the wait begins
        pthread_mutex_lock(&state->mutex);
        pthread_cond_wait(&state->cond, &state->mutex);
        pthread_mutex_unlock(&state->mutex);
    }
}

static void signaller(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    atomic_store(&state->ready, 1);
    pthread_cond_signal(&state->cond);
}

const struct cx_scenario scenario_plain_lost_wakeup = {
    .summary = "a flag is tested without the lock, and the signal falls between test and wait",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"waiter", waiter}, {"signaller", signaller}},
    .expect = CX_EXPECT_DEADLOCK,
    .tags = "plain,deadlock,condition",
};
