// SPDX-License-Identifier: Apache-2.0
//
// interp/end_with_other_states: a subinterpreter is ended while other threads have thread states of it.
// Question: does Py_EndInterpreter put up with thread states that are not attached?
// Verdict:  from 3.14.1 on it does: they are deleted, and who would come back is parked. 3.13 ends the process.
// How:      two threads have been inside and have left, with their states; main ends the interpreter.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#include <semaphore.h>

#define GUESTS 2

struct state {
    PyInterpreterState *interp; // const after init
    sem_t left;                 // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->interp = raw_interp_new(1);
    return state->interp != NULL ? sem_init(&state->left, 0, 0) : -1;
}

static void guest(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(raw_enter(state->interp) != NULL);
    PyEval_SaveThread();
    sem_post(&state->left);
}

static void ender(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyThreadState *own = PyEval_SaveThread();
    for (int i = 0; i < GUESTS; i++) {
        sem_wait(&state->left);
    }
    raw_interp_end(state->interp);
    PyEval_RestoreThread(own);
    CX_CHECK(PyInterpreterState_Next(PyInterpreterState_Head()) == NULL);
}

const struct cx_scenario scenario_interp_end_with_other_states = {
    .summary = "a subinterpreter is ended while other threads have thread states of it",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"ender", ender, .flags = CX_ACTOR_MAIN}, {"guest", guest, .count = GUESTS}},
    .tags = "interp",
    .refs = "gh-128639,gh-128640",
};
