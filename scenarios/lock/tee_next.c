// SPDX-License-Identifier: Apache-2.0
//
// lock/tee_next: threads draw from the same iterators of itertools.tee.
// Question: can two threads that advance one tee use a link of its chain that is gone?
// Verdict:  no from 3.14.7 on: what comes is a value, or a RuntimeError. Before, without the GIL, it crashes.
// How:      one end is ahead, so that the other one's values are there already; two threads draw them, each of which
//           counts on by one, and so may pass the end of what is there. A third copies one meanwhile.
// Misuse:   tee's iterators are not said to be thread-safe; they must not crash all the same.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

struct state {
    PyObject *clone; // const after init
    PyObject *draw;  // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->clone = raw_function("import copy, itertools\n"
                                "left, right = itertools.tee(iter([object() for i in range(50)]))\n"
                                "for i in range(6): next(right)\n"
                                "def draw():\n"
                                "    for i in range(6):\n"
                                "        try:\n"
                                "            next(left, None)\n"
                                "        except RuntimeError:\n"
                                "            pass\n"
                                "def clone():\n"
                                "    for i in range(2):\n"
                                "        try:\n"
                                "            next(copy.copy(left), None)\n"
                                "        except RuntimeError:\n"
                                "            pass\n",
                                "clone");
    state->draw = raw_function("", "draw");
    return state->clone != NULL && state->draw != NULL ? 0 : -1;
}

static void drawer(struct cx_run *run, void *memory)
{
    (void)run;
    raw_visit(((struct state *)memory)->draw, 1);
}

static void cloner(struct cx_run *run, void *memory)
{
    (void)run;
    raw_visit(((struct state *)memory)->clone, 1);
}

static void check(struct cx_run *run, void *memory)
{
    (void)memory;
    CX_CHECK(!cx_any_parked(run));
}

const struct cx_scenario scenario_lock_tee_next = {
    .summary = "threads draw from the same iterators of itertools.tee",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"drawer", drawer, .count = 2}, {"cloner", cloner}},
    .tags = "lock,iterator",
    .refs = "gh-153062",
};
