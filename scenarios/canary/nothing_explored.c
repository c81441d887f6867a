// SPDX-License-Identifier: Apache-2.0
//
// canary/nothing_explored: a scenario without a second thread.
// Question: is a run in which there was nothing to choose called a pass?
// Verdict:  it must not be: nothing was explored, and that is an error.
// How:      the main actor is alone and calls into Python; every point has one candidate.
#include <Python.h>

#include "harness/scenario.h"

static void alone(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    PyObject *list = PyList_New(3);
    CX_CHECK(list != NULL);
    cx_point("nobody else is here");
    Py_DECREF(list);
}

const struct cx_scenario scenario_canary_nothing_explored = {
    .summary = "a scenario without a second thread",
    .builds = CX_BUILD_ANY,
    .actors = {{"alone", alone, .flags = CX_ACTOR_MAIN}},
    .expect = CX_EXPECT_NOTHING,
    .tags = "canary,nothing",
};
