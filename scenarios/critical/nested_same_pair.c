// SPDX-License-Identifier: Apache-2.0
//
// critical/nested_same_pair: threads open a section on two objects inside a section on the same two.
// Question: does a thread wait for its own locks, or lose them before the inner section has begun?
// Verdict:  it never waits for itself. From 3.14.7 on the inner section is none; before, it suspends the outer one, and
//           what others do comes in between (gh-150902).
// How:      two threads nest in opposite order; a third uses one of the objects. What a section protects is whole at
//           each call that may suspend it. CPython's "same object twice" and "nesting" are single-threaded.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"
#include "scenarios/common/steps.h"

#define ROUNDS 2

struct state {
    PyObject *objects[2]; // const after init
    int total;            // under the critical section of objects[0] without the GIL, under the GIL with it
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    return steps_lists(state->objects, 2);
}

static void nester(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    PyObject *first = state->objects[cx_actor_index(run)];
    PyObject *second = state->objects[1 - cx_actor_index(run)];
    struct pyrt_attach attach = {0};
    CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
    for (int i = 0; i < ROUNDS; i++) {
        struct pyrt_critical outer = {0};
        struct pyrt_critical inner = {0};
        CX_CHECK(pyrt_critical_begin_two(&outer, first, second) == PYRT_OK);
        int total = steps_increment(&state->total);
        CX_CHECK(pyrt_critical_begin_two(&inner, second, first) == PYRT_OK);
        CX_CHECK(PY_VERSION_HEX < 0x030E0700 || state->total == total);
        steps_increment(&state->total);
        CX_CHECK(pyrt_critical_end(&inner) == PYRT_OK);
        CX_CHECK(PY_VERSION_HEX < 0x030E0700 || state->total == total + 1);
        steps_increment(&state->total);
        CX_CHECK(pyrt_critical_end(&outer) == PYRT_OK);
    }
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

static void single(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_attach attach = {0};
    CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
    for (int i = 0; i < ROUNDS; i++) {
        PYRT_CRITICAL_BEGIN(state->objects[0]);
        steps_increment(&state->total);
        PYRT_CRITICAL_END();
    }
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(state->total == 2 * 3 * ROUNDS + ROUNDS);
    Py_DECREF(state->objects[0]);
    Py_DECREF(state->objects[1]);
}

const struct cx_scenario scenario_critical_nested_same_pair = {
    .summary = "threads open a section on two objects inside a section on the same two",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"nester", nester, .count = 2}, {"single", single}},
    .cycle = CX_CYCLE,
    .tags = "critical,runtime",
    .refs = "gh-150902,gh-114203",
};
