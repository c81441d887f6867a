// SPDX-License-Identifier: Apache-2.0
//
// plain/timed_wait_expired: a wait with a deadline of a second, which must not expire, they say.
// Question: is the expiry of a timed wait reachable although a signal is on its way?
// Verdict:  it is: the check that says otherwise must be seen to fail.
// How:      the scheduler lets the wait expire before the signaller has run.
#include "harness/scenario.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

struct state {
    pthread_mutex_t mutex; // const after init
    pthread_cond_t cond;   // const after init
    int ready;             // under mutex
    int outcome;           // owner thread only: the waiter, then check
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
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 1;
    int result = 0;
    pthread_mutex_lock(&state->mutex);
    while (!state->ready && result == 0) {
        result = pthread_cond_timedwait(&state->cond, &state->mutex, &deadline);
    }
    // An expiry with the flag set is a signal that came late, and no expiry.
    result = state->ready ? 0 : result;
    pthread_mutex_unlock(&state->mutex);
    state->outcome = result;
    cx_note(result == ETIMEDOUT ? "the wait expired" : "the flag was seen");
}

static void signaller(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    pthread_mutex_lock(&state->mutex);
    state->ready = 1;
    pthread_cond_signal(&state->cond);
    pthread_mutex_unlock(&state->mutex);
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(state->outcome != ETIMEDOUT);
}

const struct cx_scenario scenario_plain_timed_wait_expired = {
    .summary = "a timed wait can expire before the signal comes",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"waiter", waiter}, {"signaller", signaller}},
    .expect = CX_EXPECT_INVARIANT,
    .tags = "plain,time",
};
