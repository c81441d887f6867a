// SPDX-License-Identifier: Apache-2.0
//
// finalize/hung_with_pymutex: a thread takes a PyMutex, comes back too late and is parked; a destructor of the
//                             finalization takes the same one.
// Question: what becomes of a PyMutex whose holder finalization has parked?
// Verdict:  it is held for ever, although CPython knows both: Py_FinalizeEx waits for a thread that it has stopped
//           itself.
// How:      the thread has left with its thread state when main begins. Whether it takes the lock first decides.
// Misuse:   a mutex that is held across an attach, and wanted by a destructor. Only guards avoid it.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#include <semaphore.h>

struct state {
    PyMutex lock;  // atomic
    sem_t outside; // const after init
};

static void on_teardown(void *memory)
{
    struct state *state = memory;
    PyMutex_Lock(&state->lock);
    PyMutex_Unlock(&state->lock);
}

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    if (sem_init(&state->outside, 0, 0) != 0) {
        return -1;
    }
    return raw_at_teardown(on_teardown, state);
}

static void late_thread(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyGILState_Ensure();
    PyThreadState *tstate = PyEval_SaveThread();
    sem_post(&state->outside);
    PyMutex_Lock(&state->lock);
    PyEval_RestoreThread(tstate);
    PyEval_SaveThread();
    PyMutex_Unlock(&state->lock);
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyThreadState *tstate = PyEval_SaveThread();
    sem_wait(&state->outside);
    PyEval_RestoreThread(tstate);
    CX_CHECK(Py_FinalizeEx() == 0);
}

const struct cx_scenario scenario_finalize_hung_with_pymutex = {
    .summary = "a thread that is parked with a PyMutex, which a destructor of the finalization takes",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"late_thread", late_thread}},
    .tags = "finalize,detach,deadlock",
    .refs = "gh-87135,PEP 788",
};
