// SPDX-License-Identifier: Apache-2.0
//
// guard/stress_at_the_end: threads do all that PEP 788 has, in a loop, beside PyGILState, while main finalizes.
// Question: does each thread get through, or be refused at one of the two doors (view and guard)?
// Verdict:  always: nobody is parked, nobody is inside an interpreter that has ended.
// How:      the body of CPython's test_concurrent_finalization_stress, by schedules instead of by repetition: no guard
//           is open when the threads start.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"
#include "scenarios/common/steps.h"

#include <stdatomic.h>

#define ROUNDS 3

struct state {
    atomic_int finalized; // atomic
};

// The runtime meets the interpreter; before 3.15 it has no door otherwise.
static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    struct pyrt_view *view = NULL;
    enum pyrt_status status = pyrt_view_from_current(&view);
    pyrt_view_close(view);
    return status == PYRT_OK ? 0 : -1;
}

static int refused(enum pyrt_status status)
{
    return status == PYRT_FINALIZING || status == PYRT_GONE || status == PYRT_NOT_INITIALIZED;
}

static void inside(struct state *state)
{
    struct pyrt_view *view = NULL;
    struct pyrt_guard *guard = NULL;
    struct pyrt_ensure nested = {0};
    PyGILState_STATE gilstate = PyGILState_Ensure();
    CX_CHECK(pyrt_view_from_current(&view) == PYRT_OK);
    CX_CHECK(pyrt_guard_from_view(&guard, view) == PYRT_OK); // who is inside keeps the door open
    PyGILState_Release(gilstate);
    CX_CHECK(pyrt_ensure_begin(&nested, guard) == PYRT_OK);
    CX_CHECK(!atomic_load(&state->finalized));
    CX_CHECK(pyrt_ensure_end(&nested) == PYRT_OK);
    pyrt_guard_close(guard);
    pyrt_view_close(view);
}

static void worker(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < ROUNDS; i++) {
        struct pyrt_view *view = NULL;
        struct pyrt_ensure ensure = {0};
        CX_CHECK(pyrt_view_from_main(&view) == PYRT_OK);
        enum pyrt_status status = pyrt_ensure_begin_view(&ensure, view);
        pyrt_view_close(view);
        if (status != PYRT_OK) {
            CX_CHECK(refused(status) && PyThreadState_GetUnchecked() == NULL);
            continue;
        }
        CX_CHECK(!atomic_load(&state->finalized));
        inside(state);
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
    (void)memory;
    CX_CHECK(!cx_any_parked(run));
}

const struct cx_scenario scenario_guard_stress_at_the_end = {
    .summary = "threads do all that PEP 788 has, in a loop, beside PyGILState, while main finalizes",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"worker", worker, .count = 4}},
    .tags = "guard,finalize,runtime",
    .refs = "gh-149101,PEP 788",
};
