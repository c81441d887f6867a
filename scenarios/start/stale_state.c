// SPDX-License-Identifier: Apache-2.0
//
// start/stale_state: a native thread stays away, with its thread state, while main finalizes and starts Python again.
// Question: does its next PyGILState_Ensure take it into the new interpreter?
// Verdict:  yes up to 3.14, which forget the old state. 3.15 keeps it in a variable of the thread: it is parked.
// How:      the thread is outside when main begins, and attaches when main has started again, detached.
#include <Python.h>

#include "harness/scenario.h"

#include <semaphore.h>

#define SURVIVORS 2

struct state {
    sem_t outside;   // const after init
    sem_t restarted; // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    return sem_init(&state->outside, 0, 0) == 0 ? sem_init(&state->restarted, 0, 0) : -1;
}

static void survivor(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyGILState_Ensure();
    PyEval_SaveThread();
    sem_post(&state->outside);
    sem_wait(&state->restarted);
    PyGILState_STATE gil = PyGILState_Ensure();
    CX_CHECK(PyInterpreterState_Get() == PyInterpreterState_Main());
    PyGILState_Release(gil);
}

static void restarter(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyThreadState *tstate = PyEval_SaveThread();
    for (int i = 0; i < SURVIVORS; i++) {
        sem_wait(&state->outside);
    }
    PyEval_RestoreThread(tstate);
    CX_CHECK(Py_FinalizeEx() == 0);
    CX_CHECK(cx_python_start() == 0);
    PyEval_SaveThread();
    for (int i = 0; i < SURVIVORS; i++) {
        sem_post(&state->restarted);
    }
}

static void check(struct cx_run *run, void *memory)
{
    (void)memory;
    CX_CHECK(!cx_any_parked(run));
}

const struct cx_scenario scenario_start_stale_state = {
    .summary = "a native thread stays away, with its thread state, while main finalizes and starts Python again",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .wall_ms_max = 120000,
    .actors = {{"restarter", restarter, .flags = CX_ACTOR_MAIN}, {"survivor", survivor, .count = SURVIVORS}},
    .tags = "start,gilstate",
    .refs = "gh-131185",
};
