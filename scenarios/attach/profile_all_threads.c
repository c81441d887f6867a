// SPDX-License-Identifier: Apache-2.0
//
// attach/profile_all_threads: a profile function is installed on all threads while threads come and go.
// Question: does PyEval_SetProfileAllThreads walk over thread states that are being deleted?
// Verdict:  no from 3.13.7 on. Before, it lets go of the list's lock between two of them.
// How:      two threads attach for the first time, run a little Python and leave, round after round. An audit hook,
//           which CPython asks for each thread, lets the others in, as one that is written in Python would.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#include <stdatomic.h>
#include <string.h>

#define ROUNDS 3

struct state {
    PyObject *work;  // const after init
    atomic_int runs; // atomic
};

static int on_audit(const char *event, PyObject *arguments, void *memory)
{
    (void)arguments;
    (void)memory;
    if (strcmp(event, "sys.setprofile") == 0 || strcmp(event, "sys.settrace") == 0) {
        Py_BEGIN_ALLOW_THREADS cx_point("a thread's function is being set");
        Py_END_ALLOW_THREADS
    }
    return 0;
}

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->work = raw_function("def work():\n    return len([1])\n", "work");
    return state->work != NULL ? PySys_AddAuditHook(on_audit, NULL) : -1;
}

static int on_event(PyObject *self, PyFrameObject *frame, int what, PyObject *arg)
{
    (void)self;
    (void)frame;
    (void)what;
    (void)arg;
    return 0;
}

static void profiler(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    PyGILState_STATE gil = PyGILState_Ensure();
    for (int i = 0; i < ROUNDS; i++) {
        PyEval_SetProfileAllThreads(on_event, NULL);
        PyEval_SetTraceAllThreads(on_event, NULL);
        PyEval_SetProfileAllThreads(NULL, NULL);
        PyEval_SetTraceAllThreads(NULL, NULL);
    }
    PyGILState_Release(gil);
}

static void visitor(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < ROUNDS; i++) {
        PyGILState_STATE gil = PyGILState_Ensure();
        CX_CHECK(raw_call(state->work) == 0);
        atomic_fetch_add(&state->runs, 1);
        PyGILState_Release(gil);
    }
}

static void check(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(atomic_load(&state->runs) == 2 * ROUNDS);
    Py_DECREF(state->work);
}

const struct cx_scenario scenario_attach_profile_all_threads = {
    .summary = "a profile function is installed on all threads while threads come and go",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"profiler", profiler}, {"visitor", visitor, .count = 2}},
    .tags = "attach,trace",
    .refs = "gh-137400,gh-127235",
};
