// SPDX-License-Identifier: Apache-2.0
//
// guard/ensure_while_finalizing: native threads ensure through a view, nest, detach, while the main thread finalizes.
// Question: does finalization wait for each of them, and is who comes later refused, on every version?
// Verdict:  yes: nobody is parked, nobody is inside when Py_FinalizeEx returns.
// How:      the view is made in setup, so that the runtime has met the interpreter. It is CPython's
//           test_thread_state_ensure_from_view and the body of its test_concurrent_finalization_stress.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"
#include "scenarios/common/steps.h"

#include <stdatomic.h>

#define ROUNDS 2

struct state {
    struct pyrt_view *view; // const after init
    atomic_int finalized;   // atomic
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    return pyrt_view_from_current(&state->view) == PYRT_OK ? 0 : -1;
}

static void worker(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < ROUNDS; i++) {
        struct pyrt_ensure ensure = {0};
        struct pyrt_attach attach = {0};
        struct pyrt_detach detach = {0};
        enum pyrt_status status = pyrt_ensure_begin_view(&ensure, state->view);
        if (status != PYRT_OK) {
            cx_note("ensure refused");
            CX_CHECK(status == PYRT_FINALIZING || status == PYRT_GONE);
            CX_CHECK(PyThreadState_GetUnchecked() == NULL);
            return;
        }
        CX_CHECK(!atomic_load(&state->finalized));
        CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
        CX_CHECK(pyrt_detach_begin(&detach) == PYRT_OK);
        CX_CHECK(pyrt_detach_end(&detach) == PYRT_OK);
        CX_CHECK(!atomic_load(&state->finalized));
        CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
        CX_CHECK(pyrt_ensure_end(&ensure) == PYRT_OK);
    }
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    steps_finalize(&state->finalized);
}

static void check(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    pyrt_view_close(state->view);
}

const struct cx_scenario scenario_guard_ensure_while_finalizing = {
    .summary = "native threads ensure through a view while the main thread finalizes",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"worker", worker, .count = 2}},
    .tags = "guard,finalize,runtime",
    .refs = "gh-149101,PEP 788",
};
