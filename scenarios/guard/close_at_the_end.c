// SPDX-License-Identifier: Apache-2.0
//
// guard/close_at_the_end: threads open and close guards of a subinterpreter while another one destroys it.
// Question: can the interpreter end under an open guard, or a guard be had of one that has ended?
// Verdict:  neither: the destroyer is told BUSY until the last one is closed, and then every view is refused.
// How:      guards come from views that were made inside. It joins CPython's test_interp_view_after_shutdown with the
//           closing of a guard during the end, which no test there has.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#include <stdatomic.h>

#define ROUNDS 2

struct state {
    struct pyrt_interp interp; // owner thread only: the destroyer
    struct pyrt_view *view;    // const after init
    atomic_int destroyed;      // atomic
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
    return pyrt_activate_end(&inside) == PYRT_OK ? 0 : -1;
}

static void holder(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < ROUNDS; i++) {
        struct pyrt_guard *guard = NULL;
        struct pyrt_ensure ensure = {0};
        enum pyrt_status status = pyrt_guard_from_view(&guard, state->view);
        if (status != PYRT_OK) {
            cx_note("guard refused");
            CX_CHECK(status == PYRT_FINALIZING || status == PYRT_GONE);
            CX_CHECK(guard == NULL);
            continue;
        }
        CX_CHECK(!atomic_load(&state->destroyed));
        CX_CHECK(pyrt_ensure_begin(&ensure, guard) == PYRT_OK);
        CX_CHECK(PyInterpreterState_GetID(PyInterpreterState_Get()) != 0);
        CX_CHECK(pyrt_ensure_end(&ensure) == PYRT_OK);
        CX_CHECK(!atomic_load(&state->destroyed));
        pyrt_guard_close(guard);
    }
}

static void destroyer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    enum pyrt_status status = PYRT_BUSY;
    while (status == PYRT_BUSY) {
        status = pyrt_interp_destroy(&state->interp);
        cx_point("destroy tried");
    }
    CX_CHECK(status == PYRT_OK);
    atomic_store(&state->destroyed, 1);
}

static void check(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    struct pyrt_guard *guard = NULL;
    struct pyrt_ensure ensure = {0};
    CX_CHECK(!cx_any_parked(run));
    enum pyrt_status status = pyrt_guard_from_view(&guard, state->view);
    CX_CHECK((status == PYRT_GONE || status == PYRT_FINALIZING) && guard == NULL);
    CX_CHECK(pyrt_ensure_begin_view(&ensure, state->view) == status);
    pyrt_view_close(state->view);
}

const struct cx_scenario scenario_guard_close_at_the_end = {
    .summary = "threads open and close guards of a subinterpreter while another one destroys it",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"destroyer", destroyer}, {"holder", holder, .count = 2}},
    .cycle = CX_CYCLE,
    .tags = "guard,interp,runtime",
    .refs = "gh-149101,PEP 788",
};
