// SPDX-License-Identifier: Apache-2.0
//
// finalize/pending_call_at_exit: an atexit callback waits for a native thread that asks for a pending call.
// Question: is a call made that Py_AddPendingCall has accepted while the atexit callbacks run?
// Verdict:  it must be. Up to 3.14 pending calls have had their turn by then. 3.15 goes round again for threads and
//           callbacks, but looks for calls in the interpreter's queue, not in the main thread's, where this one is.
// How:      the native thread has no thread state, which the function does not ask for. No preemption is needed.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#include <semaphore.h>
#include <stdatomic.h>

struct state {
    sem_t exiting;   // const after init
    sem_t asked;     // const after init
    atomic_int made; // atomic: pending calls
};

static struct state *shared; // const after init

static int on_pending(void *unused)
{
    (void)unused;
    atomic_fetch_add(&shared->made, 1);
    return 0;
}

static PyObject *on_exit_function(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    sem_post(&shared->exiting);
    Py_BEGIN_ALLOW_THREADS sem_wait(&shared->asked);
    Py_END_ALLOW_THREADS Py_RETURN_NONE;
}

static PyMethodDef exit_method = {"on_exit", on_exit_function, METH_NOARGS, NULL};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    shared = state;
    return sem_init(&state->exiting, 0, 0) == 0 && sem_init(&state->asked, 0, 0) == 0 ? raw_at_exit(&exit_method) : -1;
}

static void asker(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    sem_wait(&state->exiting);
    CX_CHECK(Py_AddPendingCall(on_pending, NULL) == 0);
    sem_post(&state->asked);
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)run;
    const struct state *state = memory;
    CX_CHECK(Py_FinalizeEx() == 0);
    CX_CHECK(atomic_load(&state->made) == 1);
}

const struct cx_scenario scenario_finalize_pending_call_at_exit = {
    .summary = "an atexit callback waits for a native thread that asks for a pending call",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"asker", asker}},
    .tags = "finalize,atexit,pending",
    .refs = "gh-136003",
};
