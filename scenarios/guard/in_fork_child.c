// SPDX-License-Identifier: Apache-2.0
//
// guard/in_fork_child: the main thread forks, as the C API asks for it, while it has a guard itself and another thread
// is inside under a guard of its own. The child closes its copy of the first, and finalizes.
// Question: is a guard good in the child, and does the child wait for a thread that it has not got?
// Verdict:  it is; once it is closed, the child finalizes to the end. The guards of the parent are not touched.
// How:      the other thread is on its way in, inside or on its way out at the fork.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"
#include "scenarios/common/forking.h"

#include <stddef.h>

struct state {
    struct pyrt_view *view;   // const after init
    struct pyrt_guard *guard; // owner thread only: the main thread
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    return pyrt_view_from_current(&state->view) == PYRT_OK && pyrt_guard_from_current(&state->guard) == PYRT_OK ? 0
                                                                                                                : -1;
}

static void insider(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_ensure ensure = {0};
    CX_CHECK(pyrt_ensure_begin_view(&ensure, state->view) == PYRT_OK);
    cx_point("inside under a guard");
    CX_CHECK(pyrt_ensure_end(&ensure) == PYRT_OK);
}

static void use(struct pyrt_guard *guard)
{
    struct pyrt_ensure ensure = {0};
    CX_CHECK(pyrt_ensure_begin(&ensure, guard) == PYRT_OK);
    CX_CHECK(PyRun_SimpleString("len([])") == 0);
    CX_CHECK(pyrt_ensure_end(&ensure) == PYRT_OK);
}

static void child(void *memory)
{
    struct state *state = memory;
    struct pyrt_guard *own = NULL;
    use(state->guard);
    CX_CHECK(pyrt_guard_from_current(&own) == PYRT_OK);
    use(own);
    pyrt_guard_close(own);
    pyrt_guard_close(state->guard);
    CX_CHECK(Py_FinalizeEx() == 0);
}

static void forker(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    forking_run(child, state);
    use(state->guard);
    pyrt_guard_close(state->guard);
}

static void check(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    pyrt_view_close(state->view);
}

const struct cx_scenario scenario_guard_in_fork_child = {
    .summary = "the main thread forks with a guard, beside a thread that is inside under another; the child finalizes",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"forker", forker, .flags = CX_ACTOR_MAIN}, {"insider", insider}},
    .tags = "guard,fork,finalize,runtime",
    .refs = "PEP 788",
};
