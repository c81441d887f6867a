// SPDX-License-Identifier: Apache-2.0
//
// critical/collection_inside: threads collect garbage inside a section, while others want the same objects.
// Question: does a collection deadlock with those who wait for the section, and is the section held after it?
// Verdict:  no deadlock; held: what comes after the collection counts like what came before.
// How:      two collectors at once, so that one of them waits for the other's stopped world; a list cycle dies in each.
//           CPython's test_critical_sections_gc has one holder and tuned sleeps.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"
#include "scenarios/common/steps.h"

struct state {
    PyObject *objects[2]; // const after init
    int total;            // under the critical section of both objects without the GIL, under the GIL with it
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    return steps_lists(state->objects, 2);
}

static void collector(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    uint32_t self = cx_actor_index(run);
    struct pyrt_attach attach = {0};
    CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
    PyObject *cycle = PyList_New(0);
    CX_CHECK(cycle != NULL && PyList_Append(cycle, cycle) == 0);
    Py_DECREF(cycle);
    PYRT_CRITICAL_BEGIN_TWO(state->objects[self], state->objects[1 - self]);
    steps_increment(&state->total);
    PyGC_Collect();
    steps_increment(&state->total);
    PYRT_CRITICAL_END();
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

static void contender(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_attach attach = {0};
    CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
    for (int i = 0; i < 2; i++) {
        PYRT_CRITICAL_BEGIN_TWO(state->objects[1], state->objects[0]);
        steps_increment(&state->total);
        PYRT_CRITICAL_END();
    }
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(state->total == 6);
    Py_DECREF(state->objects[0]);
    Py_DECREF(state->objects[1]);
}

const struct cx_scenario scenario_critical_collection_inside = {
    .summary = "threads collect garbage inside a section, while others want the same objects",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"collector", collector, .count = 2}, {"contender", contender}},
    .cycle = CX_CYCLE,
    .tags = "critical,gc,runtime",
};
