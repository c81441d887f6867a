// SPDX-License-Identifier: Apache-2.0
//
// totals: what the runs of an exploration add up to.
#ifndef CX_EXEC_TOTALS_H
#define CX_EXEC_TOTALS_H

#include <stdint.h>

#include "harness/exec/record.h"
#include "harness/exec/set.h"

struct cx_totals {
    uint64_t runs; // judged, without the default run
    uint64_t runs_failing;
    uint64_t runs_skipped;
    uint64_t runs_parked; // with a thread that CPython parked for ever
    uint64_t runs_error;  // the harness itself failed
    uint64_t runs_slow;   // beyond the real-time bound, and passed when they were replayed
    uint64_t replays;
    uint64_t steps;
    uint64_t switches;
    uint64_t choices;
    uint64_t choices_expected;
    uint64_t cpu_ns;
    uint64_t fork_ns;
    uint64_t wall_ns;
    uint32_t threads_max;
    int stopped;            // 1: a signature fits options->stop_at
    uint32_t accesses_seen; // 1: a plain access was a point
    char shown[200];        // about all schedules, by exhaustive
    char error_text[400];   // of the first run with a harness error
    char uncontrolled[200]; // of the first run that had something out of control
    struct cx_set interleavings;
};

// Add one run that was judged: the one in the default order, which counts as no run, or a numbered one. `failing`: it
// has shown something; `controlled`: its interleaving is known.
void cx_totals_add(struct cx_totals *totals, const struct cx_record *record, int first, int failing, int controlled);

#endif
