// SPDX-License-Identifier: Apache-2.0
//
// guard/nested_ensures: threads nest ensures by one guard, detach inside, and ensure where their state is detached.
// Question: is a thread state that is there used again, and is each level given back as it was?
// Verdict:  yes: one state per thread, attached stays attached, detached becomes detached again.
// How:      three threads share the guard. CPython's test_thread_state_ensure_nested, _detachment, _detached_gilstate,
//           which have one thread each.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#define THREADS 3

struct state {
    struct pyrt_guard *guard; // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    return pyrt_guard_from_current(&state->guard) == PYRT_OK ? 0 : -1;
}

static void nest(struct pyrt_guard *guard)
{
    struct pyrt_ensure levels[3] = {{{0}}};
    struct pyrt_detach detach = {0};
    CX_CHECK(pyrt_ensure_begin(&levels[0], guard) == PYRT_OK);
    const PyThreadState *mine = PyThreadState_Get();
    CX_CHECK(pyrt_ensure_begin(&levels[1], guard) == PYRT_OK);
    CX_CHECK(pyrt_ensure_begin(&levels[1], guard) == PYRT_ALREADY_LIVE);
    CX_CHECK(PyThreadState_Get() == mine);
    CX_CHECK(pyrt_detach_begin(&detach) == PYRT_OK);
    CX_CHECK(pyrt_ensure_begin(&levels[2], guard) == PYRT_OK);
    CX_CHECK(pyrt_ensure_end(&levels[0]) == PYRT_OUT_OF_ORDER);
    CX_CHECK(pyrt_ensure_end(&levels[2]) == PYRT_OK);
    CX_CHECK(PyThreadState_GetUnchecked() == NULL);
    CX_CHECK(pyrt_detach_end(&detach) == PYRT_OK);
    CX_CHECK(PyThreadState_Get() == mine);
    CX_CHECK(pyrt_ensure_end(&levels[1]) == PYRT_OK);
    CX_CHECK(PyThreadState_Get() == mine);
    CX_CHECK(pyrt_ensure_end(&levels[0]) == PYRT_OK);
    CX_CHECK(pyrt_ensure_end(&levels[0]) == PYRT_NOT_LIVE);
    CX_CHECK(PyThreadState_GetUnchecked() == NULL);
}

// Beside the old functions, and behind the runtime's back.
static void beside_gilstate(struct pyrt_guard *guard)
{
    struct pyrt_ensure ensure = {0};
    PyGILState_STATE gilstate = PyGILState_Ensure();
    PyThreadState *mine = PyEval_SaveThread();
    CX_CHECK(pyrt_ensure_begin(&ensure, guard) == PYRT_OK);
    CX_CHECK(PyThreadState_Get() == mine);
    CX_CHECK(pyrt_ensure_end(&ensure) == PYRT_OK);
    CX_CHECK(PyThreadState_GetUnchecked() == NULL);
    PyEval_RestoreThread(mine);
    CX_CHECK(pyrt_ensure_begin(&ensure, guard) == PYRT_OK);
    CX_CHECK(PyThreadState_Get() == mine);
    CX_CHECK(pyrt_ensure_end(&ensure) == PYRT_OK);
    CX_CHECK(PyThreadState_Get() == mine);
    PyGILState_Release(gilstate);
}

static void nester(struct cx_run *run, void *memory)
{
    (void)run;
    const struct state *state = memory;
    nest(state->guard);
    beside_gilstate(state->guard);
}

static void check(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    pyrt_guard_close(state->guard);
}

const struct cx_scenario scenario_guard_nested_ensures = {
    .summary = "threads nest ensures by one guard, detach inside, and ensure beside PyGILState",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"nester", nester, .count = THREADS}},
    .cycle = CX_CYCLE,
    .tags = "guard,runtime",
    .refs = "gh-149101,PEP 788",
};
