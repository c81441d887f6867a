// SPDX-License-Identifier: Apache-2.0
//
// guard/leaked: a thread opens a guard and never closes it; main finalizes.
// Question: what does a guard that is lost do to the end?
// Verdict:  the end waits for it, for ever, and the wait is reported as what it is: a deadlock, in the native way of
//           3.15 and in the runtime's own before that alike.
// How:      the guard's thread has ended when main begins, or is still inside.
// Misuse:   the lost guard, on purpose.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#include <semaphore.h>

struct state {
    struct pyrt_view *view; // const after init
    sem_t opened;           // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    return pyrt_view_from_current(&state->view) == PYRT_OK ? sem_init(&state->opened, 0, 0) : -1;
}

static void loser(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_guard *guard = NULL;
    struct pyrt_ensure ensure = {0};
    CX_CHECK(pyrt_guard_from_view(&guard, state->view) == PYRT_OK);
    sem_post(&state->opened);
    CX_CHECK(pyrt_ensure_begin(&ensure, guard) == PYRT_OK);
    CX_CHECK(pyrt_ensure_end(&ensure) == PYRT_OK);
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyThreadState *tstate = PyEval_SaveThread();
    sem_wait(&state->opened);
    PyEval_RestoreThread(tstate);
    Py_FinalizeEx();
    cx_fail("Py_FinalizeEx has returned under an open guard", __FILE__, __LINE__);
}

const struct cx_scenario scenario_guard_leaked = {
    .summary = "a thread opens a guard and never closes it; main finalizes",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"loser", loser}},
    .tags = "guard,finalize,deadlock,runtime",
    .refs = "gh-149101,PEP 788",
};
