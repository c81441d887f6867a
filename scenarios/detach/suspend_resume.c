// SPDX-License-Identifier: Apache-2.0
//
// detach/suspend_resume: threads leave the interpreter from inside nested attaches and come back, round each other.
// Question: does every thread get back what it had: its thread state, its count, its turn?
// Verdict:  always; and what they count while attached is exact, since a detach is the only place where others get in.
// How:      three threads, each with a detach in two attaches, and a new attach inside the detach.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"
#include "scenarios/common/steps.h"

#define THREADS 3
#define ROUNDS 2

struct state {
    PyObject *lock; // const after init
    int total;      // under the critical section of `lock` without the GIL, under the GIL with it
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->lock = PyList_New(0);
    return state->lock != NULL ? 0 : -1;
}

// Thread state: attached.
static void count(struct state *state)
{
    PYRT_CRITICAL_BEGIN(state->lock);
    steps_increment(&state->total);
    PYRT_CRITICAL_END();
}

static void leave_and_return(struct state *state)
{
    PyThreadState *tstate = PyThreadState_GetUnchecked();
    struct pyrt_detach detach = {0};
    struct pyrt_attach inside = {0};
    CX_CHECK(pyrt_detach_begin(&detach) == PYRT_OK);
    CX_CHECK(!pyrt_is_attached() && PyThreadState_GetUnchecked() == NULL);
    CX_CHECK(pyrt_attach_try(&inside) == PYRT_OK);
    CX_CHECK(pyrt_detach_end(&detach) == PYRT_OUT_OF_ORDER);
    count(state);
    CX_CHECK(pyrt_attach_release(&inside) == PYRT_OK);
    CX_CHECK(!pyrt_is_attached() && PyThreadState_GetUnchecked() == NULL);
    CX_CHECK(pyrt_detach_end(&detach) == PYRT_OK);
    CX_CHECK(pyrt_is_attached() && PyThreadState_GetUnchecked() == tstate);
    CX_CHECK(pyrt_detach_end(&detach) == PYRT_NOT_LIVE);
}

static void traveller(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < ROUNDS; i++) {
        struct pyrt_attach outer = {0};
        struct pyrt_attach inner = {0};
        CX_CHECK(pyrt_attach_try(&outer) == PYRT_OK);
        CX_CHECK(pyrt_attach_try(&inner) == PYRT_OK);
        leave_and_return(state);
        count(state);
        CX_CHECK(pyrt_attach_release(&inner) == PYRT_OK);
        CX_CHECK(pyrt_is_attached());
        CX_CHECK(pyrt_attach_release(&outer) == PYRT_OK);
        CX_CHECK(!pyrt_is_attached());
    }
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(state->total == THREADS * ROUNDS * 2); // once inside the detach and once after it
    Py_DECREF(state->lock);
}

const struct cx_scenario scenario_detach_suspend_resume = {
    .summary = "threads leave the interpreter from inside nested attaches and come back",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"traveller", traveller, .count = THREADS}},
    .cycle = CX_CYCLE,
    .tags = "detach,runtime",
    .refs = "PyO3#6404",
};
