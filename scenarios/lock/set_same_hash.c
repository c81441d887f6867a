// SPDX-License-Identifier: Apache-2.0
//
// lock/set_same_hash: threads add elements of the same hash to a set out of which one of that hash was taken.
// Question: do two elements land in the same slot, so that one is lost?
// Verdict:  no from 3.13.12 and 3.14.3 on. Before, the free slot is remembered while elements are compared, and another
//           one may be there when that is done.
// How:      the comparison runs Python, and lets others in.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#define ADDERS 2

struct state {
    PyObject *add;   // const after init
    PyObject *whole; // const after init
};

static PyObject *outside_function(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    Py_BEGIN_ALLOW_THREADS cx_point("an element is compared");
    Py_END_ALLOW_THREADS Py_RETURN_NONE;
}

static PyMethodDef outside_method = {"outside", outside_function, METH_NOARGS, NULL};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    if (raw_define(&outside_method) != 0) {
        return -1;
    }
    state->add = raw_function("class Same:\n"
                              "    def __hash__(self):\n"
                              "        return 1\n"
                              "    def __eq__(self, other):\n"
                              "        outside()\n"
                              "        return self is other\n"
                              "elements = {Same() for i in range(3)}\n"
                              "elements.discard(list(elements)[1])\n"
                              "added = []\n"
                              "def add():\n"
                              "    element = Same()\n"
                              "    elements.add(element)\n"
                              "    added.append(element)\n"
                              "def whole():\n"
                              "    assert all(element in elements for element in added)\n"
                              "    assert len(list(elements)) == len(elements) == 2 + len(added)\n",
                              "add");
    state->whole = raw_function("", "whole");
    return state->add != NULL && state->whole != NULL ? 0 : -1;
}

static void adder(struct cx_run *run, void *memory)
{
    (void)run;
    raw_visit(((struct state *)memory)->add, 1);
}

static void check(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(raw_call(state->whole) == 0);
}

const struct cx_scenario scenario_lock_set_same_hash = {
    .summary = "threads add elements of the same hash to a set out of which one of that hash was taken",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"adder", adder, .count = ADDERS}},
    .tags = "lock,set",
    .refs = "gh-141805",
};
