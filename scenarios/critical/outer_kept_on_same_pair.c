// SPDX-License-Identifier: Apache-2.0
//
// critical/outer_kept_on_same_pair: a section on two objects is opened inside a section on the same two.
// Question: does the outer section protect what it protects while nothing in it detaches?
// Verdict:  yes from 3.14.7 on. Before, the inner section waits for the outer ones locks, and so gives them up first.
// How:      two threads count without atomics in both sections; nothing between the two begins may let the other in.
#include <Python.h>

#include "harness/scenario.h"

#define ROUNDS 3

struct state {
    PyObject *objects[2]; // const after init
    int total;            // under the critical section of both objects without the GIL, under the GIL with it
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->objects[0] = PyList_New(0);
    state->objects[1] = PyList_New(0);
    return state->objects[0] != NULL && state->objects[1] != NULL ? 0 : -1;
}

static void nester(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyGILState_STATE gil = PyGILState_Ensure();
    for (int i = 0; i < ROUNDS; i++) {
        Py_BEGIN_CRITICAL_SECTION2(state->objects[0], state->objects[1]);
        int before = ++state->total;
        Py_BEGIN_CRITICAL_SECTION2(state->objects[0], state->objects[1]);
        CX_CHECK(state->total == before);
        Py_END_CRITICAL_SECTION2();
        cx_point("the inner section has ended");
        CX_CHECK(state->total == before);
        Py_END_CRITICAL_SECTION2();
    }
    PyGILState_Release(gil);
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(state->total == 2 * ROUNDS);
    Py_DECREF(state->objects[0]);
    Py_DECREF(state->objects[1]);
}

const struct cx_scenario scenario_critical_outer_kept_on_same_pair = {
    .summary = "a section on two objects is opened inside a section on the same two",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"nester", nester, .count = 2}},
    .tags = "critical",
    .refs = "gh-150902",
};
