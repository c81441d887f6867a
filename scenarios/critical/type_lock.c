// SPDX-License-Identifier: Apache-2.0
//
// critical/type_lock: threads change a class and its bases while others look its attributes up.
// Question: does the lock of types get along with the locks of objects, and does a lookup see halves?
// Verdict:  yes, and no: each lookup gives one of the values that were set, and nobody waits for ever.
// How:      one thread sets attributes and __bases__, one moves an object from class to class, two look up.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

struct state {
    PyObject *change; // const after init
    PyObject *look;   // const after init
    PyObject *move;   // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->change = raw_function("class Left:\n"
                                 "    value = 1\n"
                                 "class Right:\n"
                                 "    value = 2\n"
                                 "class Child(Left): pass\n"
                                 "class Other(Right): pass\n"
                                 "one = Child()\n"
                                 "def change():\n"
                                 "    Child.value = 3\n"
                                 "    Child.__bases__ = (Right,)\n"
                                 "    del Child.value\n"
                                 "    Child.__bases__ = (Left,)\n"
                                 "def move():\n"
                                 "    one.__class__ = Other\n"
                                 "    one.__class__ = Child\n"
                                 "def look():\n"
                                 "    for i in range(3):\n"
                                 "        assert Child.value in (1, 2, 3)\n"
                                 "        assert one.value in (1, 2, 3)\n",
                                 "change");
    state->look = raw_function("", "look");
    state->move = raw_function("", "move");
    return state->change != NULL && state->look != NULL && state->move != NULL ? 0 : -1;
}

static void changer(struct cx_run *run, void *memory)
{
    (void)run;
    raw_visit(((struct state *)memory)->change, 2);
}

static void looker(struct cx_run *run, void *memory)
{
    (void)run;
    raw_visit(((struct state *)memory)->look, 2);
}

static void mover(struct cx_run *run, void *memory)
{
    (void)run;
    raw_visit(((struct state *)memory)->move, 2);
}

static void check(struct cx_run *run, void *memory)
{
    (void)memory;
    CX_CHECK(!cx_any_parked(run));
}

const struct cx_scenario scenario_critical_type_lock = {
    .summary = "threads change a class and its bases while others look its attributes up",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"changer", changer}, {"looker", looker, .count = 2}, {"mover", mover}},
    .tags = "critical,type",
    .refs = "gh-127266,gh-133467,gh-151377",
};
