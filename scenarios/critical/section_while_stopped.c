// SPDX-License-Identifier: Apache-2.0
//
// critical/section_while_stopped: a lock is handed over to a thread that is stopped, and who stopped it wants the lock.
// Question: does a thread that has stopped the world wait for a lock that is owned by a thread it has stopped?
// Verdict:  no from 3.14.4 on. Before, without the GIL, a lock that was held for more than a millisecond is handed to
//           a stopped waiter, and the one who stopped it waits for ever.
// How:      threads hold the section of a class's dictionary's owner for long; one changes __class__, which stops the
//           world and looks into objects.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#define HOLDERS 2

struct state {
    PyObject *object; // const after init
    PyObject *change; // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->change = raw_function("class One: pass\n"
                                 "class Two: pass\n"
                                 "thing = One()\n"
                                 "thing.value = 1\n"
                                 "def change():\n"
                                 "    thing.__class__ = Two\n"
                                 "    thing.__class__ = One\n",
                                 "change");
    state->object = raw_function("", "thing");
    return state->change != NULL && state->object != NULL ? 0 : -1;
}

static void holder(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    (void)state; // with the GIL a section is nothing
    PyGILState_STATE gil = PyGILState_Ensure();
    for (int i = 0; i < 2; i++) {
        Py_BEGIN_CRITICAL_SECTION(state->object);
        CX_CHECK(PyRun_SimpleString("for i in range(1500): pass") == 0);
        Py_END_CRITICAL_SECTION();
    }
    PyGILState_Release(gil);
}

static void changer(struct cx_run *run, void *memory)
{
    (void)run;
    raw_visit(((struct state *)memory)->change, 3);
}

static void check(struct cx_run *run, void *memory)
{
    (void)memory;
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(PyRun_SimpleString("assert thing.value == 1") == 0);
}

const struct cx_scenario scenario_critical_section_while_stopped = {
    .summary = "a lock is handed over to a thread that is stopped, and who stopped it wants the lock",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"holder", holder, .count = HOLDERS}, {"changer", changer}},
    .tags = "critical,stop-the-world,fairness",
    .refs = "gh-144513,gh-133130",
};
