// SPDX-License-Identifier: Apache-2.0
//
// guard/stale_view: a thread uses a view of a subinterpreter that another one destroys, and makes again.
// Question: can a view of an interpreter that is gone lead into the one that has come in its place?
// Verdict:  never: it is refused, or leads into the old one, which then waits.
// How:      the new one may have the memory of the old one; ids tell them apart.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#define ROUNDS 3

struct state {
    struct pyrt_interp interp; // owner thread only: the replacer
    struct pyrt_view *view;    // const after init
    int64_t id;                // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_activate inside = {0};
    if (pyrt_interp_create(&state->interp, NULL) != PYRT_OK ||
        pyrt_activate_begin(&inside, &state->interp) != PYRT_OK || pyrt_view_from_current(&state->view) != PYRT_OK) {
        return -1;
    }
    state->id = pyrt_interp_id(&state->interp);
    return pyrt_activate_end(&inside) == PYRT_OK ? 0 : -1;
}

static void replacer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    enum pyrt_status status = PYRT_BUSY;
    while (status == PYRT_BUSY) {
        status = pyrt_interp_destroy(&state->interp);
        cx_point("destroy tried");
    }
    CX_CHECK(status == PYRT_OK);
    CX_CHECK(pyrt_interp_create(&state->interp, NULL) == PYRT_OK);
    CX_CHECK(pyrt_interp_id(&state->interp) != state->id);
}

static void viewer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < ROUNDS; i++) {
        struct pyrt_ensure ensure = {0};
        enum pyrt_status status = pyrt_ensure_begin_view(&ensure, state->view);
        if (status == PYRT_OK) {
            CX_CHECK(PyInterpreterState_GetID(PyInterpreterState_Get()) == state->id);
            CX_CHECK(pyrt_ensure_end(&ensure) == PYRT_OK);
        } else {
            CX_CHECK(status == PYRT_FINALIZING || status == PYRT_GONE);
        }
        cx_point("looked");
    }
}

static void check(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    struct pyrt_ensure ensure = {0};
    CX_CHECK(!cx_any_parked(run));
    enum pyrt_status status = pyrt_ensure_begin_view(&ensure, state->view);
    CX_CHECK(status == PYRT_GONE || status == PYRT_FINALIZING);
    pyrt_view_close(state->view);
    CX_CHECK(pyrt_interp_destroy(&state->interp) == PYRT_OK);
}

const struct cx_scenario scenario_guard_stale_view = {
    .summary = "a thread uses a view of a subinterpreter that another one destroys, and makes again",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .wall_ms_max = 120000,
    .actors = {{"replacer", replacer}, {"viewer", viewer, .count = 2}},
    .tags = "guard,interp,runtime",
    .refs = "gh-149101,PEP 788",
};
