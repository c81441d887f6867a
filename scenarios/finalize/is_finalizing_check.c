// SPDX-License-Identifier: Apache-2.0
//
// finalize/is_finalizing_check: a native thread asks Py_IsFinalizing before it attaches, as binding libraries do.
// Question: does the check make the attach safe?
// Verdict:  it must attach, or park the thread for ever, whatever the check said. On 3.13 and 3.14 it can still crash:
//           finalization begins between check and attach. The window is narrower than without the check, not closed.
// How:      one switch at "window" to the finalizer, and back while it is at work.
// Misuse:   check-then-act, stated here; it is the best that 3.13 and 3.14 offer.
#include <Python.h>

#include "harness/scenario.h"

#define ROUNDS 3

static void careful_thread(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    for (int i = 0; i < ROUNDS; i++) {
        if (!Py_IsInitialized() || Py_IsFinalizing()) {
            cx_note("the check says: stay away");
            return;
        }
        cx_point("window");
        PyGILState_STATE gil = PyGILState_Ensure();
        PyGILState_Release(gil);
    }
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    cx_note("Py_FinalizeEx begins");
    CX_CHECK(Py_FinalizeEx() == 0);
    cx_note("Py_FinalizeEx has returned");
}

const struct cx_scenario scenario_finalize_is_finalizing_check = {
    .summary = "a native thread asks Py_IsFinalizing before it attaches",
    .builds = CX_BUILD_ANY,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"careful_thread", careful_thread, .count = 2}},
    .tags = "finalize,attach,gilstate,check-then-act",
    .refs = "gh-124619,gh-124622,PyO3#5317,nanobind#894",
};
