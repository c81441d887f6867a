// SPDX-License-Identifier: Apache-2.0
//
// canary/drift_negative: two threads give an object back, each looks first whether the other has, and both do.
// Question: is one reference dropped too often found before anything crashes?
// Verdict:  it must be: "-1 reference of a watched list".
// How:      main holds the object as well, so that it lives; the switch must come between the look and the drop.
// Misuse:   the check-then-act, on purpose.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#include <stdatomic.h>

struct state {
    PyObject *object; // const after init
    atomic_int given; // atomic: 1: the reference that the threads share is dropped
};

static int setup(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    state->object = PyList_New(0);
    if (state->object == NULL) {
        return -1;
    }
    cx_watch(run, state->object);
    Py_INCREF(state->object); // the threads'
    return 0;
}

static void giver(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    if (atomic_load(&state->given) == 0) {
        struct pyrt_attach attach = {0};
        CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
        atomic_store(&state->given, 1);
        Py_DECREF(state->object);
        CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
    }
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    Py_DECREF(state->object);
}

const struct cx_scenario scenario_canary_drift_negative = {
    .summary = "a reference is dropped by two threads, once too often",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"giver", giver, .count = 2}},
    .expect = CX_EXPECT_DRIFT,
    .tags = "canary,drift",
};
