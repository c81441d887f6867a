// SPDX-License-Identifier: Apache-2.0
//
// finalize/reattach_after_detach: threads that have left the interpreter come back while the main thread finalizes.
// Question: what becomes of a thread that calls PyEval_RestoreThread too late?
// Verdict:  it is parked for ever, and nothing more of it runs. 3.13.5 ends it by pthread_exit: its cleanup handlers
//           run under callers that do not expect them. 3.13 frees its thread state while it may still look at it.
// How:      main waits until both threads have attached once and detached, then finalizes; the threads come back
//           anywhere around that.
// Misuse:   threads that nobody joins before finalization. The documentation allows it and promises a parked thread.
#include <Python.h>

#include "harness/scenario.h"

#include <pthread.h>
#include <semaphore.h>

#define THREADS 2

struct state {
    sem_t detached;    // const after init
    pthread_key_t key; // const after init
};

// A thread-local variable's destructor. A thread that returns clears the variable first, so that it is not called.
static void on_thread_exit(void *value)
{
    (void)value;
    cx_fail("a late thread was ended: the destructor of a thread-local variable ran", __FILE__, __LINE__);
}

static void on_unwind(void *unused)
{
    (void)unused;
    cx_fail("a late thread was ended: its cleanup handler ran", __FILE__, __LINE__);
}

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    if (pthread_key_create(&state->key, on_thread_exit) != 0) {
        return -1;
    }
    return sem_init(&state->detached, 0, 0);
}

static void away(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyThreadState *tstate = PyEval_SaveThread();
    pthread_setspecific(state->key, state);
    sem_post(&state->detached);
    pthread_cleanup_push(on_unwind, NULL);
    cx_note("coming back");
    PyEval_RestoreThread(tstate);
    PyGILState_Release(gil);
    pthread_cleanup_pop(0);
    pthread_setspecific(state->key, NULL);
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyThreadState *tstate = PyEval_SaveThread();
    for (int i = 0; i < THREADS; i++) {
        sem_wait(&state->detached);
    }
    PyEval_RestoreThread(tstate);
    cx_note("Py_FinalizeEx begins");
    CX_CHECK(Py_FinalizeEx() == 0);
    cx_note("Py_FinalizeEx has returned");
}

const struct cx_scenario scenario_finalize_reattach_after_detach = {
    .summary = "threads that have left the interpreter come back while the main thread finalizes",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"away", away, .count = THREADS}},
    .tags = "finalize,detach",
    .refs = "gh-87135,gh-124878,PyO3#6084",
};
