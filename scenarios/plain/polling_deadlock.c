// SPDX-License-Identifier: Apache-2.0
//
// plain/polling_deadlock: a thread waits in slices of a millisecond for an answer from the thread that joins it.
// Question: is a deadlock seen although one of its threads wakes up again and again?
// Verdict:  a deadlock on every schedule: the requester polls for `stopped`, which only the main thread could set, and
//           the main thread waits in a join for the requester. Nothing changes between two slices.
// How:      no preemption is needed. This is the shape of CPython's stop-the-world (interp/end_while_main_joins).
#include "harness/scenario.h"

#include <pthread.h>
#include <time.h>

#define SLICE_NS 1000000L // 1 ms, as CPython's stop-the-world waits

struct state {
    pthread_mutex_t mutex; // const after init
    pthread_cond_t cond;   // const after init
    int stopped;           // under mutex
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    pthread_mutex_init(&state->mutex, NULL);
    pthread_cond_init(&state->cond, NULL);
    return 0;
}

static void *requester(void *memory)
{
    struct state *state = memory;
    pthread_mutex_lock(&state->mutex);
    while (!state->stopped) {
        struct timespec deadline;
        clock_gettime(CLOCK_REALTIME, &deadline);
        deadline.tv_nsec += SLICE_NS;
        if (deadline.tv_nsec >= 1000000000L) {
            deadline.tv_nsec -= 1000000000L;
            deadline.tv_sec++;
        }
        pthread_cond_timedwait(&state->cond, &state->mutex, &deadline);
    }
    pthread_mutex_unlock(&state->mutex);
    return NULL;
}

static void joiner(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    pthread_t thread;
    CX_CHECK(pthread_create(&thread, NULL, requester, state) == 0);
    pthread_join(thread, NULL); // the bug: it should stop first
    pthread_mutex_lock(&state->mutex);
    state->stopped = 1;
    pthread_cond_signal(&state->cond);
    pthread_mutex_unlock(&state->mutex);
}

const struct cx_scenario scenario_plain_polling_deadlock = {
    .summary = "a thread polls for an answer from the thread that joins it",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"joiner", joiner, .flags = CX_ACTOR_MAIN}},
    .expect = CX_EXPECT_DEADLOCK,
    .tags = "plain,deadlock,polling",
};
