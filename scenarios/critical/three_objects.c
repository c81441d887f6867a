// SPDX-License-Identifier: Apache-2.0
//
// critical/three_objects: three threads move an amount round three objects, each between two of them.
// Question: can three overlapping pairs deadlock, or tear a move in two?
// Verdict:  neither: the sum stays what it was, and every move counts.
// How:      the pairs form a circle, the textbook deadlock. CPython's test_critical_sections_threads and PyO3's
//           test_critical_section2_two_containers, with a look at the sum in between.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"
#include "scenarios/common/steps.h"

#define OBJECTS 3
#define ROUNDS 2
#define START 100

struct state {
    PyObject *objects[OBJECTS]; // const after init
    int amounts[OBJECTS];       // under the critical section of its object without the GIL, under the GIL with it
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < OBJECTS; i++) {
        state->amounts[i] = START;
        state->objects[i] = PyList_New(0);
        if (state->objects[i] == NULL) {
            return -1;
        }
    }
    return 0;
}

static void move(struct state *state, uint32_t from, uint32_t to, int amount)
{
    PYRT_CRITICAL_BEGIN_TWO(state->objects[from], state->objects[to]);
    int sum = state->amounts[from] + state->amounts[to];
    state->amounts[from] -= amount;
    cx_point("on its way");
    state->amounts[to] += amount;
    CX_CHECK(state->amounts[from] + state->amounts[to] == sum);
    PYRT_CRITICAL_END();
}

static void mover(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    uint32_t from = cx_actor_index(run);
    uint32_t to = (from + 1) % OBJECTS;
    struct pyrt_attach attach = {0};
    CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
    for (int i = 0; i < ROUNDS; i++) {
        move(state, from, to, 1);
        move(state, to, from, 11);
        PYRT_CRITICAL_BEGIN(state->objects[from]);
        steps_increment(&state->amounts[from]);
        PYRT_CRITICAL_END();
    }
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < OBJECTS; i++) {
        CX_CHECK(state->amounts[i] == START + ROUNDS);
        Py_DECREF(state->objects[i]);
    }
}

const struct cx_scenario scenario_critical_three_objects = {
    .summary = "three threads move an amount round three objects, each between two of them",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"mover", mover, .count = OBJECTS}},
    .cycle = CX_CYCLE,
    .tags = "critical,runtime,lock-order",
};
