// SPDX-License-Identifier: Apache-2.0
//
// canary/drift: of 1,000 times that a thread makes an object and drops it, it forgets to once.
// Question: is one reference in 1,000 cycles found, and is the type of the object named?
// Verdict:  it must be: "+1 dict, +1 reference", in each play again.
// How:      two threads share the cycles; who comes to the one that leaks is a matter of the schedule.
// Misuse:   the leak, on purpose.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#include <stdatomic.h>

#define CYCLES 1000
#define TURN 100  // cycles of one attach
#define LEAKS 617 // the cycle that leaks

struct state {
    atomic_int begun; // atomic
};

// Thread state: attached.
static void cycle(int number)
{
    PyObject *object = PyDict_New();
    CX_CHECK(object != NULL);
    if (number != LEAKS) {
        Py_DECREF(object);
    }
}

static void user(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    int first = 0;
    while ((first = atomic_fetch_add(&state->begun, TURN)) < CYCLES) {
        struct pyrt_attach attach = {0};
        CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
        for (int i = 0; i < TURN; i++) {
            cycle(first + i);
        }
        CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
    }
}

const struct cx_scenario scenario_canary_drift = {
    .summary = "one reference in 1,000 cycles is not dropped",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .actors = {{"user", user, .count = 2}},
    .expect = CX_EXPECT_DRIFT,
    .cycle = CX_CYCLE_ONLY,
    .tags = "canary,drift",
};
