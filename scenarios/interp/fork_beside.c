// SPDX-License-Identifier: Apache-2.0
//
// interp/fork_beside: the main thread forks, as the C API asks for it, while there is a subinterpreter.
// Question: does the child get through PyOS_AfterFork_Child, which deletes the subinterpreter there?
// Verdict:  it does.
// How:      any schedule; another thread is inside the subinterpreter, or has left it.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/forking.h"
#include "scenarios/common/raw.h"

struct state {
    PyInterpreterState *interp; // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->interp = raw_interp_new(1);
    return state->interp != NULL ? 0 : -1;
}

static void visitor(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(raw_enter(state->interp) != NULL);
    cx_point("inside the subinterpreter");
    raw_leave();
}

static void child(void *memory)
{
    (void)memory;
    CX_CHECK(PyRun_SimpleString("len([])") == 0);
}

static void forker(struct cx_run *run, void *memory)
{
    (void)run;
    forking_run(child, memory);
}

const struct cx_scenario scenario_interp_fork_beside = {
    .summary = "the main thread forks while there is a subinterpreter",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"forker", forker, .flags = CX_ACTOR_MAIN}, {"visitor", visitor}},
    .tags = "interp,fork",
    .refs = "gh-139759,gh-101437",
};
