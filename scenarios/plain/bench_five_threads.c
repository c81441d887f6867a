// SPDX-License-Identifier: Apache-2.0
//
// plain/bench_five_threads: five threads lock, count and unlock forty times each.
// Question: how many schedules a second does one core play?
// Verdict:  both totals are exact on every schedule.
// How:      a benchmark: few hundred points a run, so that creating threads and processes is most of the cost.
#include "harness/scenario.h"

#include <pthread.h>
#include <stdatomic.h>

#define THREADS 5
#define ROUNDS 40

struct state {
    pthread_mutex_t mutex; // const after init
    int locked_total;      // under mutex
    atomic_int total;      // atomic
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    pthread_mutex_init(&state->mutex, NULL);
    return 0;
}

static void worker(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&state->mutex);
        state->locked_total++;
        pthread_mutex_unlock(&state->mutex);
        atomic_fetch_add(&state->total, 1);
    }
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(state->locked_total == THREADS * ROUNDS);
    CX_CHECK(atomic_load(&state->total) == THREADS * ROUNDS);
}

const struct cx_scenario scenario_plain_bench_five_threads = {
    .summary = "five threads lock, count and unlock forty times each",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"worker", worker, .count = THREADS}},
    .tags = "plain,bench",
};
