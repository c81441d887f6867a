// SPDX-License-Identifier: Apache-2.0
//
// finalize/attach_by_hand: native threads make a thread state and attach it while main tears down the modules.
// Question: is a thread parked, as by PyGILState_Ensure, that uses PyThreadState_New and PyEval_RestoreThread?
// Verdict:  it should be: the documentation of PyEval_RestoreThread says so. 3.15 asks in PyGILState_Ensure only, and
//           3.14 nowhere: the thread is let in. With the GIL 3.13 parks it.
// How:      as in finalize/attach_in_teardown: a destructor lets the threads go, and main is outside for a while.
// Misuse:   threads that nobody joins before finalization.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#include <semaphore.h>

#define THREADS 2

struct state {
    PyInterpreterState *interp; // const after init
    sem_t teardown;             // const after init
};

static void on_teardown(void *memory)
{
    struct state *state = memory;
    for (int i = 0; i < THREADS; i++) {
        sem_post(&state->teardown);
    }
    Py_BEGIN_ALLOW_THREADS cx_point("main is outside, in a destructor");
    Py_END_ALLOW_THREADS
}

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->interp = PyInterpreterState_Get();
    return sem_init(&state->teardown, 0, 0) == 0 ? raw_at_teardown(on_teardown, state) : -1;
}

static void late_thread(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    sem_wait(&state->teardown);
    raw_enter(state->interp);
    cx_fail("a thread was let in after the others had been removed", __FILE__, __LINE__);
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    CX_CHECK(Py_FinalizeEx() == 0);
}

const struct cx_scenario scenario_finalize_attach_by_hand = {
    .summary = "native threads make a thread state and attach it while main tears down the modules",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"late_thread", late_thread, .count = THREADS}},
    .tags = "finalize,attach",
    .refs = "gh-124619,gh-132948",
};
