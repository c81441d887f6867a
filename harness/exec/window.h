// SPDX-License-Identifier: Apache-2.0
//
// window: harness/trace/window.h's search, on a runner: which functions a schedule preempts in, where their code is,
// and runs that preempt only there.
#ifndef CX_EXEC_WINDOW_H
#define CX_EXEC_WINDOW_H

#include "harness/exec/session.h"
#include "harness/trace/shrink.h"
#include "harness/trace/window.h"

struct cx_window_options {
    uint64_t runs; // for each number; 0: no search
    uint64_t trials_max;
    uint64_t trials; // of these, used up before
    void (*progress)(void *context, const struct cx_window_search *search);
    void *context;
};

// Look for the window of a schedule that replays, `best`, of the session's file, and put it into `window`; `why`
// becomes the reason where there is none, and stays empty otherwise. Plays many runs. Blocks: yes.
enum cx_status cx_session_window(struct cx_session *session, const struct cx_shrink_list *best,
                                 const struct cx_window_options *options, struct cx_schedule_window *window,
                                 char why[200], struct cx_error *error);

#endif
