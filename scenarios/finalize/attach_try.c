// SPDX-License-Identifier: Apache-2.0
//
// finalize/attach_try: native threads use the runtime's fallible attach while the main thread finalizes.
// Question: is pyrt_attach_try refused, or let in and waited for, on every schedule?
// Verdict:  from 3.15 on yes: the attach holds a finalization guard, and no thread is parked. Before, finalization may
//           begin between the check and the attach, and CPython parks the thread or crashes.
// How:      the hook points of the runtime mark the window ("attach.checked").
// Misuse:   threads that nobody joins before finalization. The documentation allows it and promises a parked thread.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"
#include "scenarios/common/steps.h"

#include <stdatomic.h>

#define ROUNDS 3

struct state {
    atomic_int inside;    // atomic
    atomic_int finalized; // atomic
};

static void late_thread(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < ROUNDS; i++) {
        struct pyrt_attach attach = {0};
        enum pyrt_status status = pyrt_attach_try(&attach);
        if (status != PYRT_OK) {
            cx_note("attach refused");
            CX_CHECK(status == PYRT_FINALIZING || status == PYRT_NOT_INITIALIZED);
            CX_CHECK(!pyrt_is_attached());
            return;
        }
        CX_CHECK(!atomic_load(&state->finalized));
        CX_CHECK(pyrt_is_attached());
        CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
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
    CX_CHECK(PY_VERSION_HEX < 0x030F0000 || !cx_any_parked(run));
}

const struct cx_scenario scenario_finalize_attach_try = {
    .summary = "native threads use the runtime's fallible attach while the main thread finalizes",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .check = check,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"late_thread", late_thread, .count = 2}},
    .tags = "finalize,attach,runtime",
    .refs = "gh-124619,gh-124622,gh-149101",
};
