// SPDX-License-Identifier: Apache-2.0
//
// soak: what `constrictor soak` does: units of work (plan.h) for hours to weeks, kept in a store as they end
// (ledger.h), with canaries in between. A soak that was stopped or killed goes on when the same folder is named.
#ifndef CX_SOAK_SOAK_H
#define CX_SOAK_SOAK_H

#include "harness/exec/campaign.h"
#include "harness/soak/plan.h"
#include "harness/soak/usage.h"

struct cx_soak_options {
    // Scenarios, targets, seed, runs of a unit, time over all stretches, jobs, folder and known defects; the strategy
    // is that of the unit that is being played.
    struct cx_campaign_options run;
    uint32_t strategies[CX_SOAK_STRATEGIES_MAX];
    uint32_t strategies_count;
    uint64_t units_max; // over all stretches; 0: no bound
    uint64_t canary_ns; // between two passes of the canaries
    struct cx_caps caps;
    // What the user has said; the rest is as the soak of the folder was begun, or the default.
    int seed_given;
    int runs_given;
    int bounds_given; // units_max and run.time_max_ns
};

// Run it and print the end. Returns the exit code of the command.
enum cx_exit cx_soak_run(struct cx_soak_options *options);

#endif
