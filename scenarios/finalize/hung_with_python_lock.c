// SPDX-License-Identifier: Apache-2.0
//
// finalize/hung_with_python_lock: a thread takes a threading.Lock, comes back too late and is parked; a destructor of
//                                 the finalization takes the same lock.
// Question: does Py_FinalizeEx wait for a lock of Python's own whose holder it has parked?
// Verdict:  not from 3.15 on: the destructor gets a PythonFinalizationError. Before, it waits for ever.
// How:      the thread has left, with the lock and its thread state, when main begins. It may be back in time.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#include <semaphore.h>

struct state {
    PyObject *lock; // const after init
    sem_t outside;  // const after init
};

static void call(const struct state *state, const char *method)
{
    PyObject *result = PyObject_CallMethod(state->lock, method, NULL);
    if (result == NULL) {
        CX_CHECK(PyErr_ExceptionMatches(PyExc_RuntimeError)); // PythonFinalizationError is one
        PyErr_Clear();
        cx_note("refused");
    }
    Py_XDECREF(result);
}

static void on_teardown(void *memory)
{
    call(memory, "acquire");
}

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->lock = raw_function("import _thread\nlock = _thread.allocate_lock()\n", "lock");
    if (state->lock == NULL || sem_init(&state->outside, 0, 0) != 0) {
        return -1;
    }
    return raw_at_teardown(on_teardown, state);
}

static void late_thread(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyGILState_Ensure();
    call(state, "acquire");
    PyThreadState *tstate = PyEval_SaveThread();
    sem_post(&state->outside);
    PyEval_RestoreThread(tstate);
    call(state, "release");
    PyEval_SaveThread();
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

const struct cx_scenario scenario_finalize_hung_with_python_lock = {
    .summary = "a thread that is parked with a threading.Lock, which a destructor of the finalization takes",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"late_thread", late_thread}},
    .tags = "finalize,detach,deadlock",
    .refs = "gh-87135",
};
