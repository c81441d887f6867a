// SPDX-License-Identifier: Apache-2.0
//
// interp/gilstate_inside: code in a subinterpreter starts native threads that use PyGILState, as callbacks do.
// Question: which interpreter does PyGILState_Ensure give to a fresh thread, and does it hang or crash on the way?
// Verdict:  the main one, always, as documented; whoever wants the subinterpreter makes a thread state of it.
// How:      two subinterpreters, each with a native thread of its own that goes through both ways in.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#include <pthread.h>

struct callback {
    PyInterpreterState *interp; // const after init
    int64_t by_gilstate;        // owner thread only, then its starter
    int64_t by_state;           // owner thread only, then its starter
};

struct state {
    struct callback callbacks[2]; // owner thread only
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->callbacks[0].interp = raw_interp_new(1);
    state->callbacks[1].interp = raw_interp_new(0);
    return state->callbacks[0].interp != NULL && state->callbacks[1].interp != NULL ? 0 : -1;
}

static void *on_event(void *memory)
{
    struct callback *callback = memory;
    PyGILState_STATE gil = PyGILState_Ensure();
    callback->by_gilstate = PyInterpreterState_GetID(PyInterpreterState_Get());
    PyGILState_Release(gil);
    CX_CHECK(raw_enter(callback->interp) != NULL);
    callback->by_state = PyInterpreterState_GetID(PyInterpreterState_Get());
    raw_leave();
    return NULL;
}

static void caller(struct cx_run *run, void *memory)
{
    struct callback *callback = &((struct state *)memory)->callbacks[cx_actor_index(run)];
    CX_CHECK(raw_enter(callback->interp) != NULL);
    int64_t id = PyInterpreterState_GetID(callback->interp);
    Py_BEGIN_ALLOW_THREADS pthread_t thread;
    CX_CHECK(pthread_create(&thread, NULL, on_event, callback) == 0);
    CX_CHECK(pthread_join(thread, NULL) == 0);
    Py_END_ALLOW_THREADS CX_CHECK(callback->by_gilstate == 0 && callback->by_state == id && id != 0);
    raw_leave();
}

static void check(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    PyThreadState *own = PyEval_SaveThread();
    raw_interp_end(state->callbacks[0].interp);
    raw_interp_end(state->callbacks[1].interp);
    PyEval_RestoreThread(own);
}

const struct cx_scenario scenario_interp_gilstate_inside = {
    .summary = "code in a subinterpreter starts native threads that use PyGILState, as callbacks do",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .wall_ms_max = 120000,
    .actors = {{"caller", caller, .count = 2}},
    .tags = "interp,gilstate",
    .refs = "gh-59956,pybind11#1975",
};
