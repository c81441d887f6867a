// SPDX-License-Identifier: Apache-2.0
//
// window: the functions inside which preemptions suffice for a finding; measured with luck, not read off a schedule.
//
// A shrunk schedule preempts in a few functions, and of course its replay needs no other place. That says little: it is
// one run, and its stops stand at exact points. What helps a reader is whether the finding depends on stops in these
// functions at all. So new runs are drawn at random in which threads are preempted there and nowhere else: how many of
// them show the finding is a number. The smallest set of functions is looked for whose number is at least half that of
// all; then as many runs are drawn that preempt everywhere but there, and anywhere. The first run of a set that
// shows the finding is replayed strictly; a set whose first one does not replay is none.
//
// No processes here: runs are a callback, so that the search can be tested alone.
#ifndef CX_TRACE_WINDOW_H
#define CX_TRACE_WINDOW_H

#include <stdint.h>
#include <stdio.h>

#include "harness/exec/channel.h"
#include "harness/status.h"
#include "harness/trace/schedule.h"

#define CX_WINDOW_FUNCTIONS_MAX 8

struct cx_window_search {
    void *context;
    // Draw run `number` with this window over the functions, one bit each. `*same`: it showed the finding.
    enum cx_status (*draw)(void *context, enum cx_window_kind kind, uint32_t functions, uint64_t number, int *same,
                           struct cx_error *error);
    // Replay the run that was just drawn; `*same`: it showed the finding each time.
    enum cx_status (*confirm)(void *context, int *same, struct cx_error *error);
    // Called when a number is known.
    void (*progress)(void *context, const struct cx_window_search *search);
    uint32_t functions_count;
    uint64_t runs; // for each number
    uint64_t trials_max;
    uint64_t trials;    // drawn so far, here or before
    uint32_t functions; // the answer, one bit each
    uint64_t inside;    // runs that showed the finding: 0: there is no window
    uint64_t outside;
    uint64_t anywhere;
};

// CX_OK; `inside` is 0 where no run showed the finding, the first one that did was not to be replayed, or too few
// trials are left for three numbers. Any other status comes from a callback, and leaves no window.
enum cx_status cx_window_find(struct cx_window_search *search, struct cx_error *error);

// The window in words, on lines that begin with `indent`; nothing where none is known.
void cx_window_print(const struct cx_schedule_window *window, const char *indent, FILE *stream);

#endif
