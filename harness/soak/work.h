// SPDX-License-Identifier: Apache-2.0
//
// work: the state of a running soak, which soak.c (the campaign), unit.c (one unit, the canaries) and watch.c (what is
// said and measured meanwhile) share. Private to this folder.
#ifndef CX_SOAK_WORK_H
#define CX_SOAK_WORK_H

#include "harness/soak/beat.h"
#include "harness/soak/ledger.h"
#include "harness/soak/soak.h"

// A scenario on a target.
struct cx_soak_place {
    const char *target; // borrowed from the options
    char *scenario;     // owned
};

struct cx_soak {
    struct cx_soak_options *options;
    struct cx_campaign campaign;
    struct cx_crew crew;
    const char *crew_target;                   // whose runners these are; NULL: none
    struct cx_explore_options explore_options; // of the unit: its deadline is moved to now to stop it
    struct cx_soak_place *places;              // owned
    uint32_t places_count;
    struct cx_soak_plan plan;
    struct cx_ledger ledger;
    struct cx_beat beat;
    struct cx_usage usage;
    uint64_t seed;
    uint64_t started_ns;
    uint64_t deadline_ns;
    uint64_t canary_due_ns; // when the canaries are to be played again
    uint64_t usage_ns;      // when it was measured
    uint64_t disk_ns;
    uint64_t beat_ns;
    const char *state; // "starting", "canaries", "exploring", "ended"
    const char *scenario;
    uint64_t unit_runs; // so far
    uint64_t runs;      // of all units before
    uint64_t begun_ms;  // since 1970
    uint32_t failures;  // units in a row whose runs did not start
    char stop[400];     // why it has to stop; empty: it has not
};

// Time that the soak has spent, over all stretches.
uint64_t cx_soak_spent_ms(const struct cx_soak *soak);

// The runners of a target, names and symbols with it.
enum cx_status cx_soak_target(struct cx_soak *soak, const char *target, struct cx_error *error);

// Play the next unit and keep it. One that is cut short is not kept.
enum cx_status cx_soak_unit(struct cx_soak *soak, struct cx_error *error);
// Play the canaries of all targets. CX_ERR_INVALID: one was not found.
enum cx_status cx_soak_canaries(struct cx_soak *soak, struct cx_error *error);

// What must be looked at often: whoever asks for the status, caps, the heartbeat, the live line.
void cx_soak_watch(struct cx_soak *soak);
// The heartbeat, now.
void cx_soak_beat(struct cx_soak *soak);
// What a cap, a full disk or the like says: CX_ERR_ENVIRONMENT with the reason.
enum cx_status cx_soak_stopped(const struct cx_soak *soak, struct cx_error *error);

#endif
