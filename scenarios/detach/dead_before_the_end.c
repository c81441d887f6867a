// SPDX-License-Identifier: Apache-2.0
//
// detach/dead_before_the_end: a thread of the `threading` module ends, and others ask whether it is alive.
// Question: is a thread that is called dead really through, its thread-local destructors included?
// Verdict:  yes from 3.13.8 on. Before, is_alive looks at a flag that is set while the native thread still ends.
// How:      the thread's target, in C, leaves a thread-local variable whose destructor says that it has run.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#include <pthread.h>
#include <stdatomic.h>

#define LOOKS 6

struct state {
    pthread_key_t key; // const after init
    PyObject *alive;   // const after init
    atomic_int ended;  // atomic
};

static struct state *shared; // const after init

static void on_thread_end(void *memory)
{
    struct state *state = memory;
    cx_point("the thread ends");
    atomic_store(&state->ended, 1);
}

static PyObject *work_function(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    pthread_setspecific(shared->key, shared);
    Py_RETURN_NONE;
}

static PyMethodDef work_method = {"work", work_function, METH_NOARGS, NULL};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    shared = state;
    if (pthread_key_create(&state->key, on_thread_end) != 0 || raw_define(&work_method) != 0) {
        return -1;
    }
    state->alive = raw_function("import threading\n"
                                "thread = threading.Thread(target=work)\n"
                                "alive = thread.is_alive\n",
                                "alive");
    return state->alive != NULL ? 0 : -1;
}

static void starter(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(PyRun_SimpleString("thread.start()") == 0);
    for (int i = 0; i < LOOKS; i++) {
        PyObject *alive = PyObject_CallNoArgs(state->alive);
        CX_CHECK(alive == Py_True || (alive == Py_False && atomic_load(&state->ended)));
        Py_DECREF(alive);
        Py_BEGIN_ALLOW_THREADS cx_point("asked");
        Py_END_ALLOW_THREADS
    }
    CX_CHECK(PyRun_SimpleString("thread.join()\nassert not alive()") == 0);
    CX_CHECK(atomic_load(&state->ended));
}

const struct cx_scenario scenario_detach_dead_before_the_end = {
    .summary = "a thread of the threading module ends, and main asks whether it is alive",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"starter", starter, .flags = CX_ACTOR_MAIN}},
    .tags = "detach,threading",
    .refs = "gh-137017",
};
