// SPDX-License-Identifier: Apache-2.0
//
// plain/yield_beside_busy: a thread yields some forty times and then sets what a busy thread polls for.
// Question: does a thread that yielded come back beside one that never stops locking, unlocking and changing memory?
// Verdict:  it must: a yield is a hint, and the busy loop is no plain spin, since what it reads changes every time.
// How:      any schedule. This is CPython's parking lot beside a PyMutex that spins before it parks.
#include "harness/scenario.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define YIELDS 40 // as often as a PyMutex spins

struct state {
    pthread_mutex_t mutex; // const after init
    atomic_uint polls;     // atomic
    atomic_int done;       // atomic
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    pthread_mutex_init(&state->mutex, NULL);
    return 0;
}

static void yielder(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < YIELDS; i++) {
        sched_yield();
    }
    atomic_store(&state->done, 1);
}

static void busy(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    while (!atomic_load(&state->done)) {
        pthread_mutex_lock(&state->mutex);
        atomic_fetch_add(&state->polls, 1);
        pthread_mutex_unlock(&state->mutex);
    }
}

const struct cx_scenario scenario_plain_yield_beside_busy = {
    .summary = "a thread that yields comes back beside one that is busy polling",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"yielder", yielder}, {"busy", busy}},
    .tags = "plain,spin,fairness",
};
