// SPDX-License-Identifier: Apache-2.0
//
// interp/check_while_created: a thread makes a subinterpreter while another asks whether it holds a thread state.
// Question: is PyGILState_Check, which assertions call everywhere, in order beside Py_NewInterpreterFromConfig?
// Verdict:  its answer is right, but up to 3.14 the flag that switches it off is written and read plainly.
// How:      both attach and meet at a barrier. From there to the write of the flag nothing synchronises them.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#include <pthread.h>

#define LOOKS 4

struct state {
    pthread_barrier_t met; // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    return pthread_barrier_init(&state->met, NULL, 2);
}

static void meet(struct state *state)
{
    Py_BEGIN_ALLOW_THREADS pthread_barrier_wait(&state->met);
    Py_END_ALLOW_THREADS
}

static void maker(struct cx_run *run, void *memory)
{
    (void)run;
    PyGILState_STATE before = PyGILState_Ensure();
    meet(memory);
    PyInterpreterState *interp = raw_interp_new(1);
    CX_CHECK(interp != NULL);
    PyGILState_Release(before);
    raw_interp_end(interp);
}

static void checker(struct cx_run *run, void *memory)
{
    (void)run;
    PyGILState_STATE before = PyGILState_Ensure();
    meet(memory);
    for (int i = 0; i < LOOKS; i++) {
        cx_point("about to look");
        CX_CHECK(PyGILState_Check() == 1);
    }
    PyGILState_Release(before);
}

static void check(struct cx_run *run, void *memory)
{
    (void)memory;
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(PyInterpreterState_Next(PyInterpreterState_Head()) == NULL);
}

const struct cx_scenario scenario_interp_check_while_created = {
    .summary = "a thread makes a subinterpreter while another asks whether it holds a thread state",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .wall_ms_max = 120000,
    .actors = {{"maker", maker}, {"checker", checker}},
    .cycle = CX_CYCLE,
    .tags = "interp,race",
};
