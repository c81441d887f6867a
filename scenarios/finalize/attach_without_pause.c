// SPDX-License-Identifier: Apache-2.0
//
// finalize/attach_without_pause: native threads attach again as soon as they have released, until they are refused,
// while the main thread finalizes.
// Question: does finalization end, though there may never be a moment in which nobody is inside?
// Verdict:  yes: once it waits, whoever is not inside yet is refused.
// How:      one thread has a thread state that CPython knows, the others come anew each time. A run that finalization
//           does not end is a livelock.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"
#include "scenarios/common/steps.h"

#include <stdatomic.h>

struct state {
    atomic_int finalized; // atomic
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    return steps_meet();
}

static void restless(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    enum pyrt_status status = PYRT_OK;
    if (cx_actor_index(run) == 0) {
        struct pyrt_attach first = {0};
        if (pyrt_attach_try(&first) != PYRT_OK) {
            return;
        }
        PyGILState_Ensure(); // not released: the thread state stays
        CX_CHECK(pyrt_attach_release(&first) == PYRT_OK);
    }
    while (status == PYRT_OK) {
        struct pyrt_attach attach = {0};
        status = pyrt_attach_try(&attach);
        if (status == PYRT_OK) {
            CX_CHECK(!atomic_load(&state->finalized));
            CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
        }
    }
    CX_CHECK(status == PYRT_FINALIZING);
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

const struct cx_scenario scenario_finalize_attach_without_pause = {
    .summary = "native threads attach without a pause until they are refused while the main thread finalizes",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"restless", restless, .count = 3}},
    .tags = "finalize,attach,runtime",
    .refs = "PEP 788",
};
