// SPDX-License-Identifier: Apache-2.0
//
// plain/self_deadlock: a thread locks a default mutex that it holds already.
// Question: is a cycle of one thread seen, while another thread has still work to do?
// Verdict:  a deadlock on every schedule, and only after the other thread is done.
// How:      no preemption is needed.
#include "harness/scenario.h"

#include <pthread.h>
#include <stdatomic.h>

struct state {
    pthread_mutex_t mutex; // const after init
    atomic_int steps;      // atomic
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    pthread_mutex_init(&state->mutex, NULL);
    return 0;
}

static void lock_twice(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    pthread_mutex_lock(&state->mutex);
    pthread_mutex_lock(&state->mutex);
    cx_fail("a default mutex was locked twice", __FILE__, __LINE__);
}

static void bystander(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < 20; i++) {
        atomic_fetch_add(&state->steps, 1);
    }
}

const struct cx_scenario scenario_plain_self_deadlock = {
    .summary = "a thread locks a default mutex that it holds already",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"lock_twice", lock_twice}, {"bystander", bystander}},
    .expect = CX_EXPECT_DEADLOCK,
    .tags = "plain,deadlock",
};
