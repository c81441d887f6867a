// SPDX-License-Identifier: Apache-2.0
//
// attach/thread_pool: a native thread pool runs Python tasks; each task attaches, some keep their thread state.
// Question: does a pool's thread find the same interpreter, and a state of its own, task after task?
// Verdict:  yes, whether its state is made anew for every task or kept between them, and none is left behind.
// How:      main submits without waiting, detached at the queue, and then joins detached. One worker keeps its state.
#include <Python.h>

#include "harness/scenario.h"

#include <pthread.h>

#define WORKERS 3
#define TASKS 6

struct state {
    pthread_mutex_t lock;   // atomic
    pthread_cond_t changed; // atomic
    int waiting;            // under lock: tasks that nobody has taken
    int closed;             // under lock
    int done;               // under lock
    PyObject *list;         // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->list = PyList_New(0);
    int failed = pthread_mutex_init(&state->lock, NULL) != 0 || pthread_cond_init(&state->changed, NULL) != 0;
    return !failed && state->list != NULL ? 0 : -1;
}

// True if there is a task to do, false when there will be none.
static int take(struct state *state)
{
    pthread_mutex_lock(&state->lock);
    while (state->waiting == 0 && !state->closed) {
        pthread_cond_wait(&state->changed, &state->lock);
    }
    int taken = state->waiting > 0;
    state->waiting -= taken;
    pthread_mutex_unlock(&state->lock);
    return taken;
}

static void run_task(struct state *state)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    CX_CHECK(PyGILState_Check() && PyInterpreterState_Get() == PyInterpreterState_Main());
    PyObject *number = PyLong_FromLong(100000);
    CX_CHECK(number != NULL && PyList_Append(state->list, number) == 0);
    Py_DECREF(number);
    PyGILState_Release(gil);
    pthread_mutex_lock(&state->lock);
    state->done++;
    pthread_mutex_unlock(&state->lock);
}

static void worker(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    int keeps = cx_actor_index(run) == 0;
    PyGILState_STATE gil = PyGILState_UNLOCKED;
    PyThreadState *kept = NULL;
    if (keeps) {
        gil = PyGILState_Ensure();
        kept = PyEval_SaveThread();
    }
    while (take(state)) {
        run_task(state);
    }
    CX_CHECK(PyGILState_GetThisThreadState() == kept);
    if (keeps) {
        PyEval_RestoreThread(kept);
        PyGILState_Release(gil);
    }
}

static void submitter(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    Py_BEGIN_ALLOW_THREADS for (int i = 0; i <= TASKS; i++)
    {
        pthread_mutex_lock(&state->lock);
        state->waiting += i < TASKS;
        state->closed = i == TASKS;
        pthread_cond_broadcast(&state->changed);
        pthread_mutex_unlock(&state->lock);
    }
    cx_wait_actors(run);
    Py_END_ALLOW_THREADS CX_CHECK(state->done == TASKS && PyList_Size(state->list) == TASKS);
    CX_CHECK(PyThreadState_Next(PyInterpreterState_ThreadHead(PyInterpreterState_Main())) == NULL);
    Py_DECREF(state->list);
}

const struct cx_scenario scenario_attach_thread_pool = {
    .summary = "a native thread pool runs Python tasks; each attaches, some keep their thread state",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"submitter", submitter, .flags = CX_ACTOR_MAIN}, {"worker", worker, .count = WORKERS}},
    .tags = "attach,gilstate",
    .refs = "PyO3#6084",
};
