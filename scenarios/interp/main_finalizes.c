// SPDX-License-Identifier: Apache-2.0
//
// interp/main_finalizes: main finalizes while threads come and go in subinterpreters that nobody has ended.
// Question: does Py_FinalizeEx end a subinterpreter under a thread that is inside, or that comes back?
// Verdict:  from 3.14.1 on it ends them, and parks who comes back. 3.13 ends the process.
// How:      two threads, one in a subinterpreter with a GIL of its own and one with a shared GIL, each with a thread
//           state that it keeps; both are inside once before main begins.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#include <semaphore.h>

#define GUESTS 2
#define ROUNDS 3

struct state {
    PyInterpreterState *interps[GUESTS]; // const after init
    sem_t outside;                       // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < GUESTS; i++) {
        state->interps[i] = raw_interp_new(i == 0);
        if (state->interps[i] == NULL) {
            return -1;
        }
    }
    return sem_init(&state->outside, 0, 0);
}

static void guest(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    CX_CHECK(raw_enter(state->interps[cx_actor_index(run)]) != NULL);
    PyThreadState *tstate = PyEval_SaveThread();
    sem_post(&state->outside);
    for (int i = 0; i < ROUNDS; i++) {
        PyEval_RestoreThread(tstate);
        PyObject *list = PyList_New(1);
        CX_CHECK(list != NULL);
        Py_DECREF(list);
        PyEval_SaveThread();
    }
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyThreadState *tstate = PyEval_SaveThread();
    for (int i = 0; i < GUESTS; i++) {
        sem_wait(&state->outside);
    }
    PyEval_RestoreThread(tstate);
    Py_FinalizeEx();
}

const struct cx_scenario scenario_interp_main_finalizes = {
    .summary = "main finalizes while threads come and go in subinterpreters that nobody has ended",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"guest", guest, .count = GUESTS}},
    .tags = "interp,finalize",
    .refs = "gh-128639,gh-128640",
};
