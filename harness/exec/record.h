// SPDX-License-Identifier: Apache-2.0
//
// record: what one run left behind, kept after its worker has gone on to the next.
//
// A result is 700 kB, nearly all of it arrays that a passing run leaves empty. A record keeps the numbers of every run,
// and the rest only of runs that somebody will look at.
#ifndef CX_EXEC_RECORD_H
#define CX_EXEC_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "harness/exec/aim.h"
#include "harness/exec/channel.h"
#include "harness/exec/worker.h"
#include "harness/trace/schedule.h"

// Zeroed memory is a valid, empty record.
struct cx_record {
    enum cx_outcome outcome;
    uint64_t steps;
    uint64_t choices;
    uint64_t points_max;
    uint64_t switches;
    uint64_t fingerprint;
    uint64_t cpu_ns;
    uint64_t fork_ns;
    uint64_t wall_ns;
    uint32_t threads_count;
    uint32_t threads_parked;
    uint32_t accesses_seen;
    uint32_t strategy;        // that played it
    uint32_t dealt;           // that it was dealt to; filled in by explore.c, as is
    const struct cx_aim *aim; // borrowed; NULL unless the run was directed at a race
    uint64_t seed;            // of the request
    uint64_t coverage[CX_COVERAGE_WORDS];
    uint32_t mutations_count;
    struct cx_deviation *mutations; // owned; the plan of a run of pos
    uint32_t trace_count;
    uint32_t trace_dropped;
    uint32_t trace_threads_count;
    struct cx_choice *trace; // owned; NULL unless the run was traced
    struct cx_trace_thread trace_threads[CX_TRACE_THREADS_MAX];
    uint32_t detailed;               // 1: the following are there
    struct cx_result *result;        // owned
    struct cx_deviation *deviations; // owned; result->deviations_count of them
    char *output;                    // owned; the tail of what the run printed
    struct cx_request *request;      // owned; of a run with too many deviations, which its seed plays again; else NULL
};

// Take what the worker's last run left; with `detailed` or for any outcome but a pass also the details.
enum cx_status cx_record_take(struct cx_record *record, const struct cx_worker *worker, int detailed,
                              struct cx_error *error);

// Take a run of the worker's last batch that passed, by its place there.
enum cx_status cx_record_take_batched(struct cx_record *record, const struct cx_worker *worker, uint32_t at,
                                      struct cx_error *error);

// A record of a run whose runner did not come back: a hang that only the command saw.
enum cx_status cx_record_hang(struct cx_record *record, struct cx_error *error);

void cx_record_fini(struct cx_record *record);

// Whether a detailed record knows enough to be played again: its deviations, or what was asked of its strategy.
int cx_record_replayable(const struct cx_record *record);

// The schedule of a detailed record: deviations, paths, steps, fingerprint and outcome. The caller fills in the names.
enum cx_status cx_record_schedule(const struct cx_record *record, struct cx_schedule *schedule, struct cx_error *error);

#endif
