// SPDX-License-Identifier: Apache-2.0
//
// plain/timed_wait: a wait with a deadline of a second, and a signal that may come first.
// Question: is the answer of pthread_cond_timedwait one of the two that it can give?
// Verdict:  always 0 or ETIMEDOUT, and 0 only when the flag is set.
// How:      any schedule. plain/timed_wait_expired and plain/timed_wait_signalled show that both answers occur.
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
    CX_CHECK(state->ready || result == ETIMEDOUT);
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
    CX_CHECK(state->outcome == 0 || state->outcome == ETIMEDOUT);
}

const struct cx_scenario scenario_plain_timed_wait = {
    .summary = "a timed wait is signalled or expires",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"waiter", waiter}, {"signaller", signaller}},
    .tags = "plain,time",
};
