// SPDX-License-Identifier: Apache-2.0
//
// interp/reattach_while_ended: threads come back to a subinterpreter, with states that they have kept, while it ends.
// Question: can a thread be let into an interpreter that is being taken apart?
// Verdict:  no from 3.14.1 on: it was inside before the end began, or it is parked. 3.13 ends the process.
// How:      each guest comes back once, anywhere around Py_EndInterpreter, and says where it stands.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#include <semaphore.h>
#include <stdatomic.h>

#define GUESTS 2

struct state {
    PyInterpreterState *interp; // const after init
    sem_t outside;              // const after init
    atomic_int ended;           // atomic
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->interp = raw_interp_new(1);
    return state->interp != NULL ? sem_init(&state->outside, 0, 0) : -1;
}

static void guest(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(raw_enter(state->interp) != NULL);
    PyThreadState *tstate = PyEval_SaveThread();
    sem_post(&state->outside);
    PyEval_RestoreThread(tstate);
    CX_CHECK(!atomic_load(&state->ended));
    CX_CHECK(PyInterpreterState_GetID(PyInterpreterState_Get()) != 0);
    PyEval_SaveThread();
}

static void ender(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyThreadState *own = PyEval_SaveThread();
    for (int i = 0; i < GUESTS; i++) {
        sem_wait(&state->outside);
    }
    raw_interp_end(state->interp);
    atomic_store(&state->ended, 1);
    PyEval_RestoreThread(own);
}

const struct cx_scenario scenario_interp_reattach_while_ended = {
    .summary = "threads come back to a subinterpreter, with states that they have kept, while it ends",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"ender", ender, .flags = CX_ACTOR_MAIN}, {"guest", guest, .count = GUESTS}},
    .tags = "interp,detach",
    .refs = "gh-128639,gh-128640",
};
