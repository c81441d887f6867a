// SPDX-License-Identifier: Apache-2.0
//
// finalize/attach_new_thread: native threads attach for the first time while the main thread finalizes.
// Question: can PyGILState_Ensure touch an interpreter that is being freed, or is gone?
// Verdict:  it must attach, or park the thread for ever; never crash. 3.13 and 3.14 crash in several ways.
// How:      two threads, three attaches each, anywhere around Py_FinalizeEx; PCT of depth 3 fails in one run of five on
//           a free-threaded debug build of 3.14.7.
// Misuse:   threads that nobody joins before finalization. The documentation allows it and promises a parked thread.
#include <Python.h>

#include "harness/scenario.h"

#define ROUNDS 3

static void late_thread(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    for (int i = 0; i < ROUNDS; i++) {
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

const struct cx_scenario scenario_finalize_attach_new_thread = {
    .summary = "native threads attach for the first time while the main thread finalizes",
    .builds = CX_BUILD_ANY,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"late_thread", late_thread, .count = 2}},
    .tags = "finalize,attach,gilstate",
    .refs = "gh-124619,gh-132948,gh-131185,gh-124622",
};
