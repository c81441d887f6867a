// SPDX-License-Identifier: Apache-2.0
//
// interp/lock_step: two threads, each inside a subinterpreter with a GIL of its own, wait for each other, attached.
// Question: can one run Python while the other waits without letting go of its GIL?
// Verdict:  yes: they advance in lock step to the end. With one GIL for both, this is a deadlock.
// How:      each waits for its turn on a condition variable, attached on purpose. pybind11's "Per-Subinterpreter GIL".
// Misuse:   waiting while attached; a program of this world detaches.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#include <pthread.h>

#define ROUNDS 4

struct state {
    struct pyrt_interp interps[2]; // owner thread only: the walker
    pthread_mutex_t lock;          // atomic
    pthread_cond_t changed;        // atomic
    uint32_t steps;                // under lock: both threads' together
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    int failed = pthread_mutex_init(&state->lock, NULL) != 0 || pthread_cond_init(&state->changed, NULL) != 0;
    for (int i = 0; i < 2; i++) {
        failed |= pyrt_interp_create(&state->interps[i], NULL) != PYRT_OK;
    }
    return failed ? -1 : 0;
}

static void step(struct state *state, uint32_t self)
{
    pthread_mutex_lock(&state->lock);
    while (state->steps % 2 != self) {
        pthread_cond_wait(&state->changed, &state->lock);
    }
    pthread_mutex_unlock(&state->lock);
    CX_CHECK(PyRun_SimpleString("steps = globals().get('steps', 0) + 1") == 0);
    pthread_mutex_lock(&state->lock);
    state->steps++;
    pthread_cond_signal(&state->changed);
    pthread_mutex_unlock(&state->lock);
}

static void walker(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    uint32_t self = cx_actor_index(run);
    struct pyrt_activate inside = {0};
    CX_CHECK(pyrt_activate_begin(&inside, &state->interps[self]) == PYRT_OK);
    for (int i = 0; i < ROUNDS; i++) {
        step(state, self);
        CX_CHECK(pyrt_is_attached());
    }
    CX_CHECK(PyRun_SimpleString("assert steps == 4") == 0);
    CX_CHECK(pyrt_activate_end(&inside) == PYRT_OK);
}

static void check(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(state->steps == 2 * ROUNDS);
    CX_CHECK(pyrt_interp_destroy(&state->interps[0]) == PYRT_OK);
    CX_CHECK(pyrt_interp_destroy(&state->interps[1]) == PYRT_OK);
}

const struct cx_scenario scenario_interp_lock_step = {
    .summary = "two threads in subinterpreters with GILs of their own wait for each other, attached",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"walker", walker, .count = 2}},
    .cycle = CX_CYCLE,
    .tags = "interp,runtime",
};
