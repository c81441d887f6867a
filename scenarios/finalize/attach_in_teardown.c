// SPDX-License-Identifier: Apache-2.0
//
// finalize/attach_in_teardown: native threads attach for the first time while main tears down the modules.
// Question: is a thread let into an interpreter whose other threads have all been removed?
// Verdict:  never: it is parked. 3.14 looks at the thread state only, which it made itself: the thread is let in.
// How:      a destructor in __main__'s teardown releases the threads. Main goes on at once, or waits there, detached,
//           for as long as the schedule likes.
// Misuse:   threads that nobody joins before finalization. The documentation allows it and promises a parked thread.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#include <semaphore.h>

#define THREADS 2

struct state {
    sem_t teardown; // const after init
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
    return sem_init(&state->teardown, 0, 0) == 0 ? raw_at_teardown(on_teardown, state) : -1;
}

static void late_thread(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    sem_wait(&state->teardown);
    PyGILState_Ensure();
    cx_fail("a thread was let in after the others had been removed", __FILE__, __LINE__);
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    CX_CHECK(Py_FinalizeEx() == 0);
}

const struct cx_scenario scenario_finalize_attach_in_teardown = {
    .summary = "native threads attach for the first time while main tears down the modules",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"late_thread", late_thread, .count = THREADS}},
    .tags = "finalize,attach,gilstate",
    .refs = "gh-124619,gh-132948,gh-149101",
};
