// SPDX-License-Identifier: Apache-2.0
//
// gc/get_referrers_beside: threads ask the collector for objects and referrers while others make and drop them.
// Question: can a stop of the world hand out an object that is being freed?
// Verdict:  never: whatever is handed out can be used.
// How:      two threads ask, each with its own stop of the world; two make and drop cycles and lists.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

struct state {
    PyObject *ask;   // const after init
    PyObject *churn; // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->ask = raw_function("import gc\n"
                              "class Node: pass\n"
                              "target = Node()\n"
                              "def ask():\n"
                              "    for holder in gc.get_referrers(target):\n"
                              "        type(holder).__name__\n"
                              "    assert gc.get_count() is not None\n"
                              "def churn():\n"
                              "    for i in range(3):\n"
                              "        holders = [target, {i: target}]\n"
                              "        holders.append(holders)\n",
                              "ask");
    state->churn = raw_function("", "churn");
    return state->ask != NULL && state->churn != NULL ? 0 : -1;
}

static void asker(struct cx_run *run, void *memory)
{
    (void)run;
    raw_visit(((struct state *)memory)->ask, 2);
}

static void churner(struct cx_run *run, void *memory)
{
    (void)run;
    raw_visit(((struct state *)memory)->churn, 2);
}

static void check(struct cx_run *run, void *memory)
{
    (void)memory;
    CX_CHECK(!cx_any_parked(run));
}

const struct cx_scenario scenario_gc_get_referrers_beside = {
    .summary = "threads ask the collector for objects while others make and drop them",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"asker", asker, .count = 2}, {"churner", churner, .count = 2}},
    .tags = "gc,stop-the-world",
    .refs = "gh-125859",
};
