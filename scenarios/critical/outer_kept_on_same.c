// SPDX-License-Identifier: Apache-2.0
//
// critical/outer_kept_on_same: a section on an object is opened inside a section on the same object.
// Question: does the outer section protect what it protects while nothing in it detaches?
// Verdict:  yes from 3.14 on. In 3.13 the inner section waits for the outer one's lock, and so gives it up first.
// How:      two threads count without atomics in both sections; nothing between the two begins may let the other in.
#include <Python.h>

#include "harness/scenario.h"

#define ROUNDS 3

struct state {
    PyObject *object; // const after init
    int total;        // under the critical section of `object` without the GIL, under the GIL with it
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->object = PyList_New(0);
    return state->object != NULL ? 0 : -1;
}

static void nester(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyGILState_STATE gil = PyGILState_Ensure();
    for (int i = 0; i < ROUNDS; i++) {
        Py_BEGIN_CRITICAL_SECTION(state->object);
        int before = ++state->total;
        Py_BEGIN_CRITICAL_SECTION(state->object);
        CX_CHECK(state->total == before);
        Py_END_CRITICAL_SECTION();
        cx_point("the inner section has ended");
        CX_CHECK(state->total == before);
        Py_END_CRITICAL_SECTION();
    }
    PyGILState_Release(gil);
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(state->total == 2 * ROUNDS);
    Py_DECREF(state->object);
}

const struct cx_scenario scenario_critical_outer_kept_on_same = {
    .summary = "a section on an object is opened inside a section on the same object",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"nester", nester, .count = 2}},
    .tags = "critical",
    .refs = "gh-114203",
};
