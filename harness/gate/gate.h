// SPDX-License-Identifier: Apache-2.0
//
// gate: the verdict between two CPython builds, scenario by scenario. judge.h says what a verdict is.
//
// Both sides play the same numbered runs of the same campaign. Where one side alone has shown something, its schedule
// is followed on the other one as far as it can be, and then both play as many more runs of the strategy that made it.
#ifndef CX_GATE_GATE_H
#define CX_GATE_GATE_H

#include <regex.h>

#include "harness/exec/campaign.h"
#include "harness/gate/judge.h"

struct cx_gate_options {
    struct cx_campaign_options run;       // patterns, seed, strategy, bounds, jobs, folder; its targets are not used
    struct cx_names sides[CX_GATE_SIDES]; // pairs: as many on each side
    int time_given;                       // run.time_max_ns is the user's; with resume_dir it counts from now on
    uint64_t search_max;                  // more runs for each side, where one has shown something alone
    int rest;                             // what is left of the time goes to scenarios that find most
    uint64_t cpu_ns_max;                  // CPU time of a scenario on a side; 0: no limit
    const char *stop_at;                  // a side ends with a scenario at a signature that fits; NULL: none
    const char *resume_dir;               // or NULL; all but this and the names of files comes from there
    const char *markdown_path;            // or NULL
    const char *json_path;                // or NULL
};

// Play it and print the verdict. Returns the exit code of the command.
enum cx_exit cx_gate_run(struct cx_gate_options *options);

// The expression of --stop-at, parsed. An empty one fits everything. The caller frees it if the answer is CX_OK.
enum cx_status cx_gate_stop_at_compile(regex_t *expression, const char *text, struct cx_error *error);

// The time for the first runs of one scenario's side: an even share of half of what is left. The other half is there
// for those that find something.
uint64_t cx_gate_share_ns(uint64_t left_ns, uint64_t scenarios_left);

#endif
