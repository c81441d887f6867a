// SPDX-License-Identifier: Apache-2.0
//
// critical/reacquired_after_stop: threads run Python inside nested sections while another one stops the world.
// Question: who was stopped inside two sections: does it hold the inner one when it goes on, and the outer one later?
// Verdict:  yes, each when it is the top one: no increment is lost, nobody waits for ever.
// How:      the bytecode in the inner section is where a thread is stopped, by a collection elsewhere. CPython's
//           "reacquire" and stop-the-world tests, without their sleeps.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"
#include "scenarios/common/steps.h"

#define ROUNDS 2

struct state {
    PyObject *outer; // const after init
    PyObject *inner; // const after init
    int outer_total; // under the critical section of `outer` without the GIL, under the GIL with it
    int inner_total; // under the critical section of `inner` without the GIL, under the GIL with it
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->outer = PyList_New(0);
    state->inner = PyList_New(0);
    return state->outer != NULL && state->inner != NULL ? 0 : -1;
}

static void holder(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_attach attach = {0};
    CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
    for (int i = 0; i < ROUNDS; i++) {
        PYRT_CRITICAL_BEGIN(state->outer);
        steps_increment(&state->outer_total);
        PYRT_CRITICAL_BEGIN(state->inner);
        steps_increment(&state->inner_total);
        CX_CHECK(PyRun_SimpleString("for i in range(3): pass") == 0);
        steps_increment(&state->inner_total);
        PYRT_CRITICAL_END();
        steps_increment(&state->outer_total);
        PYRT_CRITICAL_END();
    }
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

static void stopper(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    for (int i = 0; i < 2; i++) {
        struct pyrt_attach attach = {0};
        CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
        PyGC_Collect();
        CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
    }
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(state->outer_total == 2 * 2 * ROUNDS && state->inner_total == 2 * 2 * ROUNDS);
    Py_DECREF(state->outer);
    Py_DECREF(state->inner);
}

const struct cx_scenario scenario_critical_reacquired_after_stop = {
    .summary = "threads run Python inside nested sections while another one stops the world",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"holder", holder, .count = 2}, {"stopper", stopper}},
    .cycle = CX_CYCLE,
    .tags = "critical,gc,runtime",
};
