// SPDX-License-Identifier: Apache-2.0
//
// critical/same_object_twice: threads open a section on two objects that are one and the same.
// Question: does the thread wait for its own lock, or leave without having had it?
// Verdict:  neither: it is a section on one object, and every increment counts.
// How:      two threads do it with the same object, a third with a plain section on it.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"
#include "scenarios/common/steps.h"

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

static void twice(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_attach attach = {0};
    struct pyrt_critical section = {0};
    CX_CHECK(!PYRT_CRITICAL_CHECKED || pyrt_critical_begin(&section, state->object) == PYRT_NOT_ATTACHED);
    CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
    for (int i = 0; i < ROUNDS; i++) {
        CX_CHECK(pyrt_critical_begin_two(&section, state->object, state->object) == PYRT_OK);
        CX_CHECK(pyrt_critical_begin(&section, state->object) == PYRT_ALREADY_LIVE);
        steps_increment(&state->total);
        CX_CHECK(pyrt_critical_end(&section) == PYRT_OK);
        CX_CHECK(pyrt_critical_end(&section) == PYRT_NOT_LIVE);
    }
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

static void once(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_attach attach = {0};
    CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
    for (int i = 0; i < ROUNDS; i++) {
        PYRT_CRITICAL_BEGIN(state->object);
        steps_increment(&state->total);
        PYRT_CRITICAL_END();
    }
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(state->total == 3 * ROUNDS);
    Py_DECREF(state->object);
}

const struct cx_scenario scenario_critical_same_object_twice = {
    .summary = "threads open a section on two objects that are one and the same",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"twice", twice, .count = 2}, {"once", once}},
    .cycle = CX_CYCLE,
    .tags = "critical,runtime",
};
