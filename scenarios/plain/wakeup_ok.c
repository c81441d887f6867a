// SPDX-License-Identifier: Apache-2.0
//
// plain/wakeup_ok: two waiters test a flag under the lock, and test it again after every wait.
// Question: does the corrected twin of plain/lost_wakeup always end?
// Verdict:  always; no schedule and no spurious wake-up can make a waiter miss the flag.
// How:      any schedule.
#include "harness/scenario.h"

#include <pthread.h>

struct state {
    pthread_mutex_t mutex; // const after init
    pthread_cond_t cond;   // const after init
    int ready;             // under mutex
    int woken;             // under mutex
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
    pthread_mutex_lock(&state->mutex);
    while (!state->ready) {
        pthread_cond_wait(&state->cond, &state->mutex);
    }
    state->woken++;
    pthread_mutex_unlock(&state->mutex);
}

static void signaller(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    pthread_mutex_lock(&state->mutex);
    state->ready = 1;
    pthread_cond_broadcast(&state->cond);
    pthread_mutex_unlock(&state->mutex);
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(state->woken == 2);
}

const struct cx_scenario scenario_plain_wakeup_ok = {
    .summary = "two waiters test a flag under the lock and miss no signal",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"waiter", waiter, .count = 2}, {"signaller", signaller}},
    .tags = "plain,condition",
};
