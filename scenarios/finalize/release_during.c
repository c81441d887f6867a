// SPDX-License-Identifier: Apache-2.0
//
// finalize/release_during: attached threads give up their thread states while the main thread finalizes.
// Question: can a thread state that is deleting itself outlive the interpreter that it belongs to?
// Verdict:  it must not. Without the GIL it can, up to 3.15.0rc2: PyGILState_Release takes the state off the
//           interpreter's list first and gives back its QSBR slot last; finalization no longer waits for it in between
//           and frees the slots. The assertion in _Py_qsbr_unregister then reads freed memory.
// How:      main waits until both threads are attached, then finalizes; one switch inside PyGILState_Release suffices.
// Misuse:   threads that nobody joins before finalization. The documentation allows it and promises a parked thread.
#include <Python.h>

#include "harness/scenario.h"

#include <semaphore.h>

#define THREADS 2

struct state {
    sem_t attached; // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    return sem_init(&state->attached, 0, 0);
}

static void leaver(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyGILState_STATE gil = PyGILState_Ensure();
    sem_post(&state->attached);
    cx_note("PyGILState_Release begins");
    PyGILState_Release(gil);
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyThreadState *tstate = PyEval_SaveThread();
    for (int i = 0; i < THREADS; i++) {
        sem_wait(&state->attached);
    }
    PyEval_RestoreThread(tstate);
    cx_note("Py_FinalizeEx begins");
    CX_CHECK(Py_FinalizeEx() == 0);
    cx_note("Py_FinalizeEx has returned");
}

const struct cx_scenario scenario_finalize_release_during = {
    .summary = "attached threads give up their thread states while the main thread finalizes",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"leaver", leaver, .count = THREADS}},
    .tags = "finalize,release,gilstate",
};
