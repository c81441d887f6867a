// SPDX-License-Identifier: Apache-2.0
//
// critical/mutex_forms: sections on one mutex, on two, on one inside an object's, and suspended by a detach.
// Question: are they one kind of lock with the object's: nested, suspended, taken again, without a deadlock?
// Verdict:  yes: every increment counts.
// How:      three threads mix the forms. PyO3's test_critical_section_mutex, mutex2, mutex2_two_containers.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"
#include "scenarios/common/steps.h"

#define ROUNDS 2

struct state {
    PyObject *object; // const after init
    PyMutex a;        // atomic
    PyMutex b;        // atomic
    int total;        // under the critical section of `a` without the GIL, under the GIL with it
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->object = PyList_New(0);
    return state->object != NULL ? 0 : -1;
}

static void one(struct state *state)
{
    struct pyrt_detach detach = {0};
    PYRT_CRITICAL_BEGIN_MUTEX(&state->a);
    steps_increment(&state->total);
    CX_CHECK(pyrt_detach_begin(&detach) == PYRT_OK);
    CX_CHECK(pyrt_detach_end(&detach) == PYRT_OK);
    steps_increment(&state->total);
    PYRT_CRITICAL_END();
}

static void two(struct state *state)
{
    PYRT_CRITICAL_BEGIN_TWO_MUTEXES(&state->b, &state->a);
    steps_increment(&state->total);
    steps_increment(&state->total);
    PYRT_CRITICAL_END();
}

static void nested(struct state *state)
{
    PYRT_CRITICAL_BEGIN(state->object);
    PYRT_CRITICAL_BEGIN_MUTEX(&state->a);
    steps_increment(&state->total);
    PYRT_CRITICAL_END();
    PYRT_CRITICAL_BEGIN_TWO_MUTEXES(&state->a, &state->a);
    steps_increment(&state->total);
    PYRT_CRITICAL_END();
    PYRT_CRITICAL_END();
}

static void mixer(struct cx_run *run, void *memory)
{
    static void (*const forms[3])(struct state *state) = {one, two, nested};
    struct state *state = memory;
    struct pyrt_attach attach = {0};
    CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        forms[(cx_actor_index(run) + i) % 3](state);
    }
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(state->total == 3 * 2 * ROUNDS);
    Py_DECREF(state->object);
}

const struct cx_scenario scenario_critical_mutex_forms = {
    .summary = "sections on one mutex, on two, on one inside an object's, and suspended by a detach",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"mixer", mixer, .count = 3}},
    .cycle = CX_CYCLE,
    .tags = "critical,detach,runtime",
    .refs = "gh-133296",
    .python_min = "3.14",
};
