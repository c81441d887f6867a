// SPDX-License-Identifier: Apache-2.0
//
// attach/out_of_memory: threads make thread states while the raw allocator fails now and then.
// Question: does a thread state that cannot be made leave everything as it was?
// Verdict:  it must: the answer is NULL, and the next try works. 3.15.0rc2 frees an interpreter's first state, which is
//           part of the interpreter (gh-155504).
// How:      the schedule chooses which allocation of a try fails; the interpreter is an empty one, then it is not.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/failing.h"
#include "scenarios/common/raw.h"

#define TRIES 6
#define ALLOCATIONS 5

struct state {
    PyInterpreterState *interp; // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    failing_install();
    state->interp = raw_interp_new(1);
    return state->interp != NULL ? 0 : -1;
}

static void visitor(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < TRIES; i++) {
        failing_next(cx_choose(ALLOCATIONS));
        PyThreadState *tstate = PyThreadState_New(state->interp);
        failing_next(0);
        if (tstate != NULL) {
            PyEval_RestoreThread(tstate);
            raw_leave();
        } else {
            cx_note("no memory for a thread state");
        }
    }
    CX_CHECK(raw_enter(state->interp) != NULL);
    raw_leave();
}

static void check(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    PyThreadState *own = PyEval_SaveThread();
    raw_interp_end(state->interp);
    PyEval_RestoreThread(own);
}

const struct cx_scenario scenario_attach_out_of_memory = {
    .summary = "threads make thread states while the raw allocator fails now and then",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"visitor", visitor, .count = 2}},
    .tags = "attach,interp,memory",
    .refs = "gh-155504,gh-155363,gh-152156",
};
