// SPDX-License-Identifier: Apache-2.0
//
// side: one of the two targets of a gate: its runners, its canaries, and the exploring of one scenario on it.
#ifndef CX_GATE_SIDE_H
#define CX_GATE_SIDE_H

#include <regex.h>

#include "harness/exec/campaign.h"
#include "harness/gate/judge.h"

// Zeroed memory is valid to close.
struct cx_gate_target {
    struct cx_campaign campaign; // its names, symbols and known defects; options and `known` are shared by the sides
    struct cx_crew crew;
    uint32_t canaries; // that were found
    enum cx_gate_side side;
    struct cx_live *live;          // borrowed
    const char *progress;          // borrowed; what the live line begins with
    struct cx_gate_sights *sights; // borrowed; of the scenario that is being explored
};

// What one exploration is to be, and was.
struct cx_gate_stint {
    const char *scenario;
    uint32_t strategy;
    uint64_t run_first;
    uint64_t runs_floor;   // that are played beyond the deadline, too
    uint64_t floor_end_ns; // from then on one is enough; 0: never
    uint64_t runs_max;
    uint64_t deadline_ns;
    uint64_t cpu_ns_max;    // 0: no limit
    const regex_t *stop_at; // a confirmed signature that ends it; NULL: none
    int stopped;            // out: 1: there was one
    uint64_t runs;          // out: that were played
    uint64_t cpu_ns;
    int skipped; // out: 1: every run said that it does not apply
    int nothing; // out: 1: nothing was explored
    char error_text[400];
};

// Start the target. `campaign` of the side has options, known and symbolizer. The caller closes in every case.
enum cx_status cx_gate_side_open(struct cx_gate_target *target, const char *name, struct cx_error *error);
void cx_gate_side_close(struct cx_gate_target *target);

// Play every canary that applies: one whose finding does not come makes all other results worthless.
enum cx_status cx_gate_side_canaries(struct cx_gate_target *target, uint32_t *found, struct cx_error *error);

// Index of a scenario, and whether it applies here; -1 if this runner has none of that name.
int32_t cx_gate_side_scenario(const struct cx_gate_target *target, const char *scenario, int *applicable);

// Explore, and write what is seen into `target->sights`.
enum cx_status cx_gate_side_explore(struct cx_gate_target *target, struct cx_gate_stint *stint, struct cx_error *error);

// Play the other side's schedule here, following it where it can be followed. Whatever of `sights` it shows is noted.
enum cx_status cx_gate_side_follow(struct cx_gate_target *target, const char *scenario, size_t sight,
                                   struct cx_error *error);

#endif
