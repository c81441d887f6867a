// SPDX-License-Identifier: Apache-2.0
//
// finalize/attach_afterwards: native threads attach for the first time when Py_FinalizeEx has returned.
// Question: what does PyGILState_Ensure do where there is no interpreter any more?
// Verdict:  it must park the thread, or never be asked to: 3.13 and 3.14 read the main interpreter's NULL pointer.
// How:      the threads wait, having never attached, until main has finalized. No preemption is needed.
// Misuse:   an attach after the end; the documentation promised a parked thread until 3.14, and does so from 3.15 on.
#include <Python.h>

#include "harness/scenario.h"

#include <semaphore.h>

#define THREADS 2

struct state {
    sem_t finalized; // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    return sem_init(&state->finalized, 0, 0);
}

static void late_thread(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    sem_wait(&state->finalized);
    PyGILState_Ensure();
    cx_fail("a thread was let in after Py_FinalizeEx", __FILE__, __LINE__);
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(Py_FinalizeEx() == 0);
    for (int i = 0; i < THREADS; i++) {
        sem_post(&state->finalized);
    }
}

const struct cx_scenario scenario_finalize_attach_afterwards = {
    .summary = "native threads attach for the first time when Py_FinalizeEx has returned",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"late_thread", late_thread, .count = THREADS}},
    .tags = "finalize,attach,gilstate",
    .refs = "gh-124619,gh-131185",
};
