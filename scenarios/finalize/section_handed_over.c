// SPDX-License-Identifier: Apache-2.0
//
// finalize/section_handed_over: a thread waits for a section that another one holds for long; main finalizes, and a
//                               destructor begins a section on the same object.
// Question: can finalization park a thread that owns a section's lock?
// Verdict:  it must not: a parked thread never gives it back. Without the GIL it does: the lock is handed to a waiter
//           that has waited for more than a millisecond, which is then parked on its way in, and main waits for it.
// How:      the holder runs Python in the section, for some milliseconds of virtual time, until main stops the world.
// Misuse:   none: threads that nobody joins may be parked, but a section is given up by whoever does not run.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#include <semaphore.h>

struct state {
    PyObject *object; // const after init
    sem_t attached;   // const after init
    sem_t inside;     // const after init
    sem_t waited;     // const after init
};

static void on_teardown(void *memory)
{
    struct state *state = memory;
    (void)state; // with the GIL a section is nothing
    Py_BEGIN_CRITICAL_SECTION(state->object);
    cx_note("main is in the section");
    Py_END_CRITICAL_SECTION();
}

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->object = PyList_New(0);
    int failed = sem_init(&state->attached, 0, 0) != 0 || sem_init(&state->inside, 0, 0) != 0;
    if (state->object == NULL || failed || sem_init(&state->waited, 0, 0) != 0) {
        return -1;
    }
    return raw_at_teardown(on_teardown, state);
}

static void holder(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    sem_wait(&state->attached);
    PyGILState_Ensure();
    Py_BEGIN_CRITICAL_SECTION(state->object);
    sem_post(&state->inside);
    PyRun_SimpleString("for i in range(3000): pass");
    sem_post(&state->waited);
    PyRun_SimpleString("for i in range(3000): pass");
    Py_END_CRITICAL_SECTION();
    PyEval_SaveThread();
}

static void waiter(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyGILState_Ensure();
    PyThreadState *tstate = PyEval_SaveThread();
    sem_post(&state->attached);
    sem_wait(&state->inside);
    PyEval_RestoreThread(tstate);
    Py_BEGIN_CRITICAL_SECTION(state->object);
    cx_note("the waiter is in the section");
    Py_END_CRITICAL_SECTION();
    PyEval_SaveThread();
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyThreadState *tstate = PyEval_SaveThread();
    sem_wait(&state->waited);
    PyEval_RestoreThread(tstate);
    CX_CHECK(Py_FinalizeEx() == 0);
}

const struct cx_scenario scenario_finalize_section_handed_over = {
    .summary = "a thread waits for a section that is held for long, and that a destructor of the finalization begins",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"holder", holder}, {"waiter", waiter}},
    .tags = "finalize,critical,deadlock",
    .refs = "gh-87135,gh-144513",
};
