// SPDX-License-Identifier: Apache-2.0
//
// gc/frozen_visited: PyUnstable_GC_VisitObjects walks over all objects while threads freeze and attach.
// Question: does the walk see an object that gc.freeze has set apart?
// Verdict:  yes with the GIL, and from 3.15.0rc2 on without it; before, it is passed over there.
// How:      one list is kept, frozen and then looked for; two threads come and go meanwhile.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

struct state {
    PyObject *kept;   // const after init
    PyObject *freeze; // const after init
    PyObject *churn;  // const after init
};

struct search {
    PyObject *wanted; // const after init
    int seen;         // owner thread only
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->kept = raw_function("import gc\n"
                               "kept = [[]]\n"
                               "freeze = gc.freeze\n"
                               "def churn():\n"
                               "    mine = []\n"
                               "    mine.append(mine)\n",
                               "kept");
    state->freeze = raw_function("", "freeze");
    state->churn = raw_function("", "churn");
    return state->kept != NULL && state->freeze != NULL && state->churn != NULL ? 0 : -1;
}

static int look(PyObject *object, void *memory)
{
    struct search *search = memory;
    search->seen |= object == search->wanted;
    return 1;
}

static void walker(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyGILState_STATE gil = PyGILState_Ensure();
    struct search before = {state->kept, 0};
    struct search after = {state->kept, 0};
    PyUnstable_GC_VisitObjects(look, &before);
    CX_CHECK(before.seen);
    CX_CHECK(raw_call(state->freeze) == 0);
    PyUnstable_GC_VisitObjects(look, &after);
    CX_CHECK(after.seen);
    PyGILState_Release(gil);
}

static void churner(struct cx_run *run, void *memory)
{
    (void)run;
    raw_visit(((struct state *)memory)->churn, 2);
}

const struct cx_scenario scenario_gc_frozen_visited = {
    .summary = "PyUnstable_GC_VisitObjects walks over all objects while threads freeze and attach",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"walker", walker}, {"churner", churner, .count = 2}},
    .tags = "gc,freeze,stop-the-world",
    .refs = "gh-131740,gh-156395",
};
