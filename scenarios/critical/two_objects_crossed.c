// SPDX-License-Identifier: Apache-2.0
//
// critical/two_objects_crossed: two threads lock the same two objects in opposite order.
// Question: can they deadlock, or be inside together?
// Verdict:  neither: the locks are taken in one global order, and every increment counts.
// How:      a point between the load and the store of each increment; with the GIL, the GIL is the lock.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"
#include "scenarios/common/steps.h"

#define ROUNDS 4

struct state {
    PyObject *a; // const after init
    PyObject *b; // const after init
    int total;   // under the critical section of `a` and `b` without the GIL, under the GIL with it
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->a = PyList_New(0);
    state->b = PyList_New(0);
    return state->a != NULL && state->b != NULL ? 0 : -1;
}

static void count(struct state *state, PyObject *first, PyObject *second)
{
    struct pyrt_attach attach = {0};
    CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
    for (int i = 0; i < ROUNDS; i++) {
        PYRT_CRITICAL_BEGIN_TWO(first, second);
        steps_increment(&state->total);
        PYRT_CRITICAL_END();
    }
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

static void forwards(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    count(state, state->a, state->b);
}

static void backwards(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    count(state, state->b, state->a);
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(state->total == 2 * ROUNDS);
    Py_DECREF(state->a);
    Py_DECREF(state->b);
}

const struct cx_scenario scenario_critical_two_objects_crossed = {
    .summary = "two threads lock the same two objects in opposite order",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"forwards", forwards}, {"backwards", backwards}},
    .cycle = CX_CYCLE,
    .tags = "critical,runtime,lock-order",
};
