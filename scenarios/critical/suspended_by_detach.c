// SPDX-License-Identifier: Apache-2.0
//
// critical/suspended_by_detach: a thread detaches inside a section and waits for one that wants the same object.
// Question: is the section given up for the time of the detach, and held again after it?
// Verdict:  yes: otherwise this is a deadlock, or an increment is lost.
// How:      the waiting thread is detached, nested in two sections; a third thread contends throughout. CPython's
//           test_critical_sections_suspend, which looks at a lock bit on one thread.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"
#include "scenarios/common/steps.h"

#include <semaphore.h>

#define ROUNDS 2

struct state {
    PyObject *outer; // const after init
    PyObject *inner; // const after init
    sem_t left;      // const after init: the holder has detached
    sem_t served;    // const after init: the guest has had its section
    int total;       // under the critical section of `inner` without the GIL, under the GIL with it
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->outer = PyList_New(0);
    state->inner = PyList_New(0);
    int failed = sem_init(&state->left, 0, 0) != 0 || sem_init(&state->served, 0, 0) != 0;
    return !failed && state->outer != NULL && state->inner != NULL ? 0 : -1;
}

static void holder(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_attach attach = {0};
    struct pyrt_detach detach = {0};
    CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
    for (int i = 0; i < ROUNDS; i++) {
        PYRT_CRITICAL_BEGIN(state->outer);
        PYRT_CRITICAL_BEGIN(state->inner);
        steps_increment(&state->total);
        CX_CHECK(pyrt_detach_begin(&detach) == PYRT_OK);
        CX_CHECK(sem_post(&state->left) == 0 && sem_wait(&state->served) == 0);
        CX_CHECK(pyrt_detach_end(&detach) == PYRT_OK);
        steps_increment(&state->total);
        PYRT_CRITICAL_END();
        PYRT_CRITICAL_END();
    }
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

static void guest(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < ROUNDS; i++) {
        struct pyrt_attach attach = {0};
        CX_CHECK(sem_wait(&state->left) == 0);
        CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
        PYRT_CRITICAL_BEGIN_TWO(state->inner, state->outer);
        steps_increment(&state->total);
        PYRT_CRITICAL_END();
        CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
        CX_CHECK(sem_post(&state->served) == 0);
    }
}

static void contender(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_attach attach = {0};
    CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
    for (int i = 0; i < ROUNDS; i++) {
        PYRT_CRITICAL_BEGIN(state->inner);
        steps_increment(&state->total);
        PYRT_CRITICAL_END();
    }
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(state->total == 4 * ROUNDS);
    Py_DECREF(state->outer);
    Py_DECREF(state->inner);
}

const struct cx_scenario scenario_critical_suspended_by_detach = {
    .summary = "a thread detaches inside a section and waits for one that wants the same object",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"holder", holder}, {"guest", guest}, {"contender", contender}},
    .cycle = CX_CYCLE,
    .tags = "critical,detach,runtime",
};
