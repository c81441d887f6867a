// SPDX-License-Identifier: Apache-2.0
//
// interp/nested_across_threads: threads go from main into a subinterpreter, back into main, leave from there, return.
// Question: does each level give back exactly what was attached around it, whatever other threads do meanwhile?
// Verdict:  exactly: the same thread state, the same interpreter, no count left.
// How:      two threads nest in opposite order. pybind11's "GIL Subinterpreter" and "Multiple Subinterpreters".
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#define LEVELS 4

struct state {
    struct pyrt_interp interps[2]; // const after init: main's, and the other; check destroys it
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_attach attach = {0};
    if (pyrt_attach_assume(&attach) != PYRT_OK || pyrt_interp_main(&state->interps[0]) != PYRT_OK ||
        pyrt_interp_create(&state->interps[1], NULL) != PYRT_OK) {
        return -1;
    }
    return pyrt_attach_release(&attach) == PYRT_OK ? 0 : -1;
}

static void leave_and_return(int64_t id)
{
    struct pyrt_detach detach = {0};
    struct pyrt_attach attach = {0};
    PyThreadState *tstate = PyThreadState_Get();
    CX_CHECK(pyrt_detach_begin(&detach) == PYRT_OK);
    CX_CHECK(PyThreadState_GetUnchecked() == NULL && !pyrt_is_attached());
    CX_CHECK(pyrt_detach_end(&detach) == PYRT_OK);
    CX_CHECK(PyThreadState_Get() == tstate);
    CX_CHECK(PyInterpreterState_GetID(PyInterpreterState_Get()) == id);
    CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK); // nested, it counts on this interpreter
    CX_CHECK(PyThreadState_Get() == tstate);
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

static void nester(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    uint32_t self = cx_actor_index(run);
    struct pyrt_activate levels[LEVELS] = {{0}};
    const PyThreadState *states[LEVELS];
    for (uint32_t i = 0; i < LEVELS; i++) {
        const struct pyrt_interp *interp = &state->interps[(i + self) % 2];
        CX_CHECK(pyrt_activate_begin(&levels[i], interp) == PYRT_OK);
        states[i] = PyThreadState_Get();
        CX_CHECK(i == 0 || states[i] != states[i - 1]);
        CX_CHECK(PyInterpreterState_GetID(PyInterpreterState_Get()) == pyrt_interp_id(interp));
        leave_and_return(pyrt_interp_id(interp));
    }
    CX_CHECK(pyrt_activate_end(&levels[0]) == PYRT_OUT_OF_ORDER);
    for (uint32_t i = LEVELS; i-- > 0;) {
        CX_CHECK(PyThreadState_Get() == states[i]);
        CX_CHECK(pyrt_activate_end(&levels[i]) == PYRT_OK);
    }
    CX_CHECK(PyThreadState_GetUnchecked() == NULL && !pyrt_is_attached());
}

static void check(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(pyrt_interp_destroy(&state->interps[1]) == PYRT_OK);
}

const struct cx_scenario scenario_interp_nested_across_threads = {
    .summary = "threads go from main into a subinterpreter, back into main, leave from there, return",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"nester", nester, .count = 2}},
    .cycle = CX_CYCLE,
    .tags = "interp,detach,runtime",
};
