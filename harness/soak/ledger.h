// SPDX-License-Identifier: Apache-2.0
//
// ledger: what a soak has done, as its store has it: what it was asked, each unit, each canary, and what they add up
// to.
//
// A unit is written in one transaction with the totals that it changes, when it is over; its findings are there before,
// as they come. A soak that is killed therefore goes on with the unit that it was in, from that one's beginning.
#ifndef CX_SOAK_LEDGER_H
#define CX_SOAK_LEDGER_H

#include <jansson.h>
#include <stdint.h>

#include "harness/exec/canary.h"
#include "harness/finding.h"
#include "harness/soak/plan.h"
#include "harness/store/store.h"

// Zeroed memory is valid to free.
struct cx_ledger {
    struct cx_store *store; // borrowed
    json_t *asked;          // what makes it this soak: targets with their builds, scenarios, strategies, seed, runs
    uint64_t units_max;     // 0: no bound
    uint64_t time_max_ms;   // 0: no bound
    uint64_t spent_ms;      // before this stretch
    uint64_t passes;        // of canaries
    uint64_t canary_ms;     // when they were played last, since 1970
    char invalid[400];      // or empty
    json_t *sums;           // "target\tscenario\tstrategy": totals of all units, as the store takes them
    json_t *signatures;     // "target\tscenario\tid": {count, confirmed, unexpected}, of the units that are done
};

// A unit that is over.
struct cx_ledger_unit {
    struct cx_soak_unit plan;
    const char *target;
    const char *scenario;
    const char *strategy;
    uint64_t cost;
    uint64_t fresh;    // out
    uint64_t spent_ms; // of the soak, now
};

// Find the soak of a store and read it; `*found` 0: there is none. CX_ERR_USAGE: several, of a merge.
enum cx_status cx_ledger_find(struct cx_ledger *ledger, struct cx_store *store, int *found, struct cx_error *error);
void cx_ledger_fini(struct cx_ledger *ledger);

// Give every unit that is done, in order, to `unit`, as an object {number, target, scenario, strategy, fresh, cost};
// stops at one that it refuses.
enum cx_status cx_ledger_units(struct cx_ledger *ledger,
                               enum cx_status (*unit)(void *context, const json_t *row, struct cx_error *error),
                               void *context, struct cx_error *error);

// Write what was asked, the bounds, `spent_ms` and `invalid`.
void cx_ledger_keep(const struct cx_ledger *ledger, uint64_t spent_ms);
void cx_ledger_canary(const struct cx_ledger *ledger, const char *target, const struct cx_canary *canary,
                      uint64_t spent_ms);
// Add a unit. `totals` are those of cx_report_totals(); drops the reference.
void cx_ledger_unit(struct cx_ledger *ledger, struct cx_ledger_unit *unit, const struct cx_findings *findings,
                    json_t *totals);

// 1 if the signature was filed by a unit that is done, and no better record of it can be made.
int cx_ledger_filed(const struct cx_ledger *ledger, const char *target, const char *scenario,
                    const struct cx_finding *finding);
uint64_t cx_ledger_runs(const struct cx_ledger *ledger);
// Unexpected ones among the signatures.
uint64_t cx_ledger_unexpected(const struct cx_ledger *ledger);

#endif
