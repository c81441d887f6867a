// SPDX-License-Identifier: Apache-2.0
//
// finalize/daemon_stops_world: a native thread that nobody joins stops the world while main finalizes.
// Question: can a thread be parked with what Py_FinalizeEx needs to stop the world?
// Verdict:  no from 3.14.1 on. Without the GIL 3.13 parks one that holds the stop-the-world mutex, and main waits for
//           that.
// How:      the thread has a thread state when main begins, and never returns it. A second one would wait for ever for
//           what the parked one holds, which is as good as parked, and no defect.
// Misuse:   a thread that nobody joins before finalization. The documentation allows it and promises a parked thread.
#include <Python.h>

#include "harness/scenario.h"

#include <semaphore.h>

#define ROUNDS 8

struct state {
    sem_t attached; // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    return sem_init(&state->attached, 0, 0);
}

static void stopper(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyGILState_Ensure();
    PyThreadState *tstate = PyEval_SaveThread();
    sem_post(&state->attached);
    PyEval_RestoreThread(tstate);
    for (int i = 0; i < ROUNDS; i++) {
        PyEval_SetProfileAllThreads(NULL, NULL);
    }
    PyEval_SaveThread();
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyThreadState *tstate = PyEval_SaveThread();
    sem_wait(&state->attached);
    PyEval_RestoreThread(tstate);
    cx_note("Py_FinalizeEx begins");
    CX_CHECK(Py_FinalizeEx() == 0);
}

const struct cx_scenario scenario_finalize_daemon_stops_world = {
    .summary = "a native thread that nobody joins stops the world while main finalizes",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"stopper", stopper}},
    .tags = "finalize,stop-the-world,deadlock",
    .refs = "gh-137433",
};
