// SPDX-License-Identifier: Apache-2.0
//
// finalize/attach_prepared: native threads use the runtime's fallible attach, which the program has met Python with
//                          before, while the main thread finalizes.
// Question: is pyrt_attach_try refused, or let in and waited for, on every schedule and every version?
// Verdict:  yes. On 3.15 CPython's finalization guards do it; before, the runtime's own door, which closes at atexit.
//           finalize/attach_try is the twin without preparation, which 3.13 and 3.14 cannot guard.
// How:      the hook points of the runtime mark the windows ("attach.used", "attach.checked", "door.waiting").
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

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    return steps_meet();
}

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
        struct pyrt_detach detach = {0};
        CX_CHECK(pyrt_detach_begin(&detach) == PYRT_OK);
        CX_CHECK(pyrt_detach_end(&detach) == PYRT_OK);
        CX_CHECK(!atomic_load(&state->finalized));
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
    CX_CHECK(!cx_any_parked(run));
}

const struct cx_scenario scenario_finalize_attach_prepared = {
    .summary = "the runtime's fallible attach, prepared, while the main thread finalizes",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"late_thread", late_thread, .count = 2}},
    .tags = "finalize,attach,runtime",
    .refs = "gh-124619,gh-124622,gh-149101",
};
