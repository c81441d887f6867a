// SPDX-License-Identifier: Apache-2.0
//
// finalize/twice: main finalizes twice; native threads finalize, too, when nothing is left to be finalized.
// Question: is a second Py_FinalizeEx nothing, on whichever thread, as documented?
// Verdict:  yes: it answers 0 and touches nothing, on threads that have been inside and on those that never were.
// How:      two threads, one of which has been attached before, call it beside main's second call.
#include <Python.h>

#include "harness/scenario.h"

#include <semaphore.h>

#define THREADS 2

struct state {
    sem_t ready;     // const after init
    sem_t finalized; // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    return sem_init(&state->ready, 0, 0) == 0 ? sem_init(&state->finalized, 0, 0) : -1;
}

static void caller(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    if (cx_actor_index(run) == 0) {
        PyGILState_STATE gil = PyGILState_Ensure();
        PyGILState_Release(gil);
    }
    sem_post(&state->ready);
    sem_wait(&state->finalized);
    CX_CHECK(Py_FinalizeEx() == 0);
    CX_CHECK(!Py_IsInitialized());
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyThreadState *tstate = PyEval_SaveThread();
    for (int i = 0; i < THREADS; i++) {
        sem_wait(&state->ready);
    }
    PyEval_RestoreThread(tstate);
    CX_CHECK(Py_FinalizeEx() == 0);
    for (int i = 0; i < THREADS; i++) {
        sem_post(&state->finalized);
    }
    CX_CHECK(Py_FinalizeEx() == 0);
}

static void check(struct cx_run *run, void *memory)
{
    (void)memory;
    CX_CHECK(!cx_any_parked(run));
}

const struct cx_scenario scenario_finalize_twice = {
    .summary = "main finalizes twice; native threads finalize, too, when nothing is left to be finalized",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"caller", caller, .count = THREADS}},
    .tags = "finalize",
    .refs = "gh-124619",
};
