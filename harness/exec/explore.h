// SPDX-License-Identifier: Apache-2.0
//
// explore: many runs of one scenario on one target.
//
// The runs are dealt to the workers of a crew and come back in any order; they are judged in the order of their
// indices, so that what is found, which run found it first and what is written does not depend on how many workers
// there are or how fast. A run in the default order comes first: it learns how long a run is. A finding with a new
// signature stops the judging (not the playing) until three strict replays have confirmed or refuted it; the default
// run and the first drawn run are replayed once even when they pass.
//
// It owns the table of findings and the totals. It prints and writes nothing: the observer does.
#ifndef CX_EXEC_EXPLORE_H
#define CX_EXEC_EXPLORE_H

#include <regex.h>
#include <stdint.h>

#include "harness/detect/signature.h"
#include "harness/exec/crew.h"
#include "harness/exec/record.h"
#include "harness/exec/totals.h"
#include "harness/finding.h"

struct cx_explore_options {
    const char *scenario;
    uint32_t strategy; // enum cx_strategy_kind
    uint32_t pct_depth;
    uint32_t preemptions_max; // of exhaustive
    uint64_t seed;            // of the campaign
    uint64_t run_first;       // index of the first numbered run
    uint64_t runs_max;        // UINT64_MAX: until the deadline
    uint64_t deadline_ns;     // CX_NO_DEADLINE: until runs_max
    uint64_t findings_max;    // stop after so many signatures; 0: no limit
    uint64_t runs_floor;      // so many are played in any case; 0: the default order at least
    uint64_t floor_end_ns;    // from then on one run is floor enough; 0: never
    uint64_t cpu_ns_max;      // stop after so much CPU time of runs; 0: no limit
    const regex_t *stop_at;   // stop after a confirmed signature that fits it; NULL: none
    uint32_t wall_ms_max;     // of one run; 0: the scenario's
    uint64_t steps_max;       // of one run; 0: the scenario's
    struct cx_rules rules;
    const struct cx_points *points; // borrowed
    int verify;                     // replay every run once, not only the first two
    int in_process;                 // several runs in one process, where the program allows it: batch.c
};

struct cx_explore;

// What the explorer tells while it works. `context` is the first argument of each.
struct cx_explore_observer {
    void *context;
    // A finding has its final status. `record` is its first run.
    void (*finding)(void *context, const struct cx_explore *explore, struct cx_finding *finding,
                    const struct cx_record *record);
    // Something that a person should know now, one line.
    void (*message)(void *context, const char *text);
    // Called often; for the live line. A failure ends the exploration.
    enum cx_status (*tick)(void *context, const struct cx_explore *explore, struct cx_error *error);
};

struct cx_explore {
    const struct cx_explore_options *options;
    const struct cx_explore_observer *observer;
    const struct cx_resolver *resolver;
    struct cx_crew *crew;
    uint64_t start_ns;        // when cx_explore_run() began
    uint32_t scenario;        // index
    enum cx_outcome expected; // CX_OUTCOME_PASS: nothing
    struct cx_findings findings;
    struct cx_totals totals;
    struct cx_explore_work *work; // private to explore.c
};

// Play and judge. The caller fills in options, observer, resolver, crew, scenario and expected; all else is zero.
// Findings and totals stay valid whatever is returned; the caller frees them with cx_explore_fini().
// CX_ERR_INTERRUPTED: Ctrl-C or the command's limit; CX_ERR_RUNNER: runners were lost too often.
enum cx_status cx_explore_run(struct cx_explore *explore, struct cx_error *error);
void cx_explore_fini(struct cx_explore *explore);

// The outcome that an `expect` word (enum cx_expect) stands for; CX_OUTCOME_PASS for none.
enum cx_outcome cx_explore_expected(uint32_t expect);

#endif
