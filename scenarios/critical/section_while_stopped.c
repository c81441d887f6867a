// SPDX-License-Identifier: Apache-2.0
//
// critical/section_while_stopped: a lock is handed over to a thread that is stopped, and who stopped it wants the lock.
// Question: does a thread that has stopped the world wait for a lock that is owned by a thread it has stopped?
// Verdict:  no from 3.14.4 on: with the world stopped a section takes no lock. Before, without the GIL, a lock that was
//           held for more than a millisecond is handed to a stopped waiter, and the one who stopped it waits for ever.
// How:      one holds the section for some milliseconds of virtual time, another waits for it; a third stops the world
//           to look at all objects, and begins a section on the same object when it comes by.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#include <semaphore.h>

struct state {
    PyObject *object; // const after init
    sem_t attached;   // const after init
    sem_t inside;     // const after init
    sem_t waited;     // const after init
    int seen;         // owner thread only: the visitor
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->object = PyList_New(0);
    int failed = sem_init(&state->attached, 0, 0) != 0 || sem_init(&state->inside, 0, 0) != 0;
    return state->object != NULL && !failed && sem_init(&state->waited, 0, 0) == 0 ? 0 : -1;
}

static void holder(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    sem_wait(&state->attached);
    PyGILState_STATE gil = PyGILState_Ensure();
    Py_BEGIN_CRITICAL_SECTION(state->object);
    sem_post(&state->inside);
    CX_CHECK(PyRun_SimpleString("for i in range(3000): pass") == 0);
    sem_post(&state->waited);
    CX_CHECK(PyRun_SimpleString("for i in range(3000): pass") == 0);
    Py_END_CRITICAL_SECTION();
    PyGILState_Release(gil);
}

static void waiter(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyThreadState *tstate = PyEval_SaveThread();
    sem_post(&state->attached);
    sem_wait(&state->inside);
    PyEval_RestoreThread(tstate);
    Py_BEGIN_CRITICAL_SECTION(state->object);
    cx_note("the waiter is in the section");
    Py_END_CRITICAL_SECTION();
    PyGILState_Release(gil);
}

static int look(PyObject *object, void *memory)
{
    struct state *state = memory;
    if (object == state->object) {
        Py_BEGIN_CRITICAL_SECTION(object);
        state->seen++;
        Py_END_CRITICAL_SECTION();
    }
    return 1;
}

static void visitor(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    sem_wait(&state->waited);
    PyGILState_STATE gil = PyGILState_Ensure();
    PyUnstable_GC_VisitObjects(look, state);
    CX_CHECK(state->seen == 1);
    PyGILState_Release(gil);
}

static void check(struct cx_run *run, void *memory)
{
    (void)memory;
    CX_CHECK(!cx_any_parked(run));
}

const struct cx_scenario scenario_critical_section_while_stopped = {
    .summary = "a lock is handed over to a thread that is stopped, and who stopped it wants the lock",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"holder", holder}, {"waiter", waiter}, {"visitor", visitor}},
    .tags = "critical,stop-the-world,fairness",
    .refs = "gh-144513,gh-133130",
};
