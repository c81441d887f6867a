// SPDX-License-Identifier: Apache-2.0
//
// interp/end_while_main_joins_detached: the main thread joins, detached, a worker that ends a subinterpreter.
// Question: does the corrected twin of interp/end_while_main_joins always end?
// Verdict:  always; nobody has to wait for a detached thread to stop.
// How:      any schedule.
#include <Python.h>

#include "harness/scenario.h"

#include <pthread.h>

struct state {
    PyInterpreterState *interp; // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyInterpreterConfig config = {
        .allow_threads = 1,
        .check_multi_interp_extensions = 1,
        .gil = PyInterpreterConfig_OWN_GIL,
    };
    PyThreadState *before = PyThreadState_Get();
    PyThreadState *tstate = NULL;
    if (PyStatus_Exception(Py_NewInterpreterFromConfig(&tstate, &config))) {
        return -1;
    }
    state->interp = PyThreadState_GetInterpreter(tstate);
    // The interpreter stays, without a thread state: the one that ends it is made on the worker's own thread.
    PyThreadState_Clear(tstate);
    PyThreadState_DeleteCurrent();
    PyThreadState_Swap(before);
    return 0;
}

static void *worker(void *memory)
{
    struct state *state = memory;
    PyThreadState *tstate = PyThreadState_New(state->interp);
    CX_CHECK(tstate != NULL);
    PyEval_RestoreThread(tstate);
    cx_note("Py_EndInterpreter begins");
    Py_EndInterpreter(tstate);
    cx_note("Py_EndInterpreter has returned");
    return NULL;
}

static void joiner(struct cx_run *run, void *memory)
{
    (void)run;
    pthread_t thread;
    CX_CHECK(pthread_create(&thread, NULL, worker, memory) == 0);
    PyThreadState *tstate = PyEval_SaveThread();
    CX_CHECK(pthread_join(thread, NULL) == 0);
    PyEval_RestoreThread(tstate);
}

const struct cx_scenario scenario_interp_end_while_main_joins_detached = {
    .summary = "the main thread joins, detached, a worker that ends a subinterpreter",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"joiner", joiner, .flags = CX_ACTOR_MAIN}},
    .cycle = CX_CYCLE,
    .tags = "interp,deadlock",
    .refs = "pybind11#5934,pybind11#5940",
};
