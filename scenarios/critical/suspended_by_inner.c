// SPDX-License-Identifier: Apache-2.0
//
// critical/suspended_by_inner: a section on one object is opened inside sections on others that somebody wants.
// Question: does an inner section that has to wait let go of the outer ones, and get them back in the end?
// Verdict:  yes: three threads that nest in a circle never wait for each other, and what the innermost section counts
//           is exact.
// How:      thread i nests the objects i, i + 1 and i + 2, by pairs and by one.
#include <Python.h>

#include "harness/scenario.h"

#define THREADS 3
#define ROUNDS 2

struct state {
    PyObject *objects[THREADS]; // const after init
    int totals[THREADS];        // under the critical section of the object of the same index, or under the GIL
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < THREADS; i++) {
        state->objects[i] = PyList_New(0);
        if (state->objects[i] == NULL) {
            return -1;
        }
    }
    return 0;
}

static void increment(int *total)
{
    int before = *total;
    cx_point("between load and store");
    *total = before + 1;
}

static void nester(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    uint32_t one = cx_actor_index(run);
    uint32_t two = (one + 1) % THREADS;
    uint32_t three = (one + 2) % THREADS;
    PyGILState_STATE gil = PyGILState_Ensure();
    for (int i = 0; i < ROUNDS; i++) {
        Py_BEGIN_CRITICAL_SECTION2(state->objects[one], state->objects[two]);
        increment(&state->totals[one]);
        increment(&state->totals[two]);
        Py_BEGIN_CRITICAL_SECTION(state->objects[three]);
        increment(&state->totals[three]);
        Py_END_CRITICAL_SECTION();
        increment(&state->totals[two]);
        Py_END_CRITICAL_SECTION2();
    }
    PyGILState_Release(gil);
}

static void check(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    for (int i = 0; i < THREADS; i++) {
        CX_CHECK(state->totals[i] == 4 * ROUNDS);
        Py_DECREF(state->objects[i]);
    }
}

const struct cx_scenario scenario_critical_suspended_by_inner = {
    .summary = "a section on one object is opened inside sections on others that somebody wants",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"nester", nester, .count = THREADS}},
    .tags = "critical",
    .refs = "PEP 703",
};
