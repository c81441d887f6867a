// SPDX-License-Identifier: Apache-2.0
//
// finalize/hung_in_section: a thread leaves inside critical sections, comes back too late and is parked; a destructor
//                           of the finalization begins a section on the same objects.
// Question: can a critical section be lost with a parked thread?
// Verdict:  never: a thread that leaves gives its sections up, and one that is parked does not take them again.
// How:      two threads, one in a section on one object, one on both; they may also be stopped while they run Python.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#include <semaphore.h>

#define THREADS 2

struct state {
    PyObject *objects[2]; // const after init
    sem_t outside;        // const after init
};

static void on_teardown(void *memory)
{
    struct state *state = memory;
    (void)state; // with the GIL a section is nothing
    Py_BEGIN_CRITICAL_SECTION2(state->objects[0], state->objects[1]);
    cx_note("main is in the section");
    Py_END_CRITICAL_SECTION2();
}

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->objects[0] = PyList_New(0);
    state->objects[1] = PyList_New(0);
    if (state->objects[0] == NULL || state->objects[1] == NULL || sem_init(&state->outside, 0, 0) != 0) {
        return -1;
    }
    return raw_at_teardown(on_teardown, state);
}

static void away(struct state *state)
{
    PyThreadState *tstate = PyEval_SaveThread();
    sem_post(&state->outside);
    PyEval_RestoreThread(tstate);
}

static void late_thread(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    PyGILState_Ensure();
    if (cx_actor_index(run) == 0) {
        Py_BEGIN_CRITICAL_SECTION(state->objects[0]);
        away(state);
        CX_CHECK(PyRun_SimpleString("for i in range(3): pass") == 0);
        Py_END_CRITICAL_SECTION();
    } else {
        Py_BEGIN_CRITICAL_SECTION2(state->objects[1], state->objects[0]);
        away(state);
        CX_CHECK(PyRun_SimpleString("for i in range(3): pass") == 0);
        Py_END_CRITICAL_SECTION2();
    }
    PyEval_SaveThread();
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyThreadState *tstate = PyEval_SaveThread();
    for (int i = 0; i < THREADS; i++) {
        sem_wait(&state->outside);
    }
    PyEval_RestoreThread(tstate);
    CX_CHECK(Py_FinalizeEx() == 0);
}

const struct cx_scenario scenario_finalize_hung_in_section = {
    .summary = "threads that are parked inside critical sections, which a destructor of the finalization begins",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"late_thread", late_thread, .count = THREADS}},
    .tags = "finalize,critical,detach",
    .refs = "gh-87135,PEP 788",
};
