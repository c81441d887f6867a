// SPDX-License-Identifier: Apache-2.0
//
// plain/timed_wait_signalled: a wait with a deadline of a second, which always expires, they say.
// Question: is the signal of a timed wait reachable although it may expire at any time?
// Verdict:  it is: the check that says otherwise must be seen to fail.
// How:      the waiter waits, then the signaller runs, before the deadline is allowed to pass.
#include "harness/scenario.h"

#include <pthread.h>
#include <time.h>

struct state {
    pthread_mutex_t mutex; // const after init
    pthread_cond_t cond;   // const after init
    int ready;             // under mutex
    int signalled;         // under mutex: the wait itself ended by the signal
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
        state->signalled = result == 0 && state->ready;
    }
    pthread_mutex_unlock(&state->mutex);
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
    CX_CHECK(!state->signalled);
}

const struct cx_scenario scenario_plain_timed_wait_signalled = {
    .summary = "a timed wait can be signalled before it expires",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"waiter", waiter}, {"signaller", signaller}},
    .expect = CX_EXPECT_INVARIANT,
    .tags = "plain,time",
};
