// SPDX-License-Identifier: Apache-2.0
//
// canary/two_sections_crossed: critical/two_objects_crossed done wrong: two sections, one inside the other, in opposite
// order, where one section of both objects belongs.
// Question: is it found that the outer lock is let go while the inner one is waited for?
// Verdict:  it must be: what was read under the outer lock is old by then, and an increment is lost. Never a deadlock.
// How:      one preemption, between the two locks of either thread. The exhaustive search finds it with a bound of 1.
// Misuse:   the nested sections, on purpose.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

struct state {
    PyObject *a; // const after init
    PyObject *b; // const after init
    int total;   // under the critical section of `a` and `b`, or so it was meant
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
    PYRT_CRITICAL_BEGIN(first);
    int seen = state->total;
    PYRT_CRITICAL_BEGIN(second);
    state->total = seen + 1;
    PYRT_CRITICAL_END();
    PYRT_CRITICAL_END();
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
    CX_CHECK(state->total == 2);
    Py_DECREF(state->a);
    Py_DECREF(state->b);
}

const struct cx_scenario scenario_canary_two_sections_crossed = {
    .summary = "two threads nest the sections of two objects in opposite order",
    .builds = CX_BUILD_FREE_THREADED | CX_BUILD_DEBUG,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"forwards", forwards}, {"backwards", backwards}},
    .expect = CX_EXPECT_INVARIANT,
    .tags = "canary,critical,lock-order",
};
