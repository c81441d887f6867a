// SPDX-License-Identifier: Apache-2.0
//
// finding: one signature of one scenario on one target, seen once or many times.
#ifndef CX_FINDING_H
#define CX_FINDING_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/detect/signature.h"
#include "harness/outcome.h"

#define CX_CONFIRMATIONS 3
#define CX_RUN_DEFAULT UINT64_MAX // the run in the default order, before the numbered ones

enum cx_finding_status {
    CX_FINDING_NEW = 0,      // not replayed yet
    CX_FINDING_CONFIRMED,    // every replay gave the same signature
    CX_FINDING_DIVERGED,     // a replay went another way or ended in another way
    CX_FINDING_NATIVE,       // of an uncontrolled run: there is nothing to replay
    CX_FINDING_UNREPLAYABLE, // too long to be written down; its seed plays it again
    CX_FINDING_UNCONFIRMED,  // interrupted before the replays were done
};

struct cx_known_entry;

struct cx_finding {
    enum cx_outcome kind;
    enum cx_finding_status status;
    struct cx_signature signature;
    uint32_t race;                      // of the first run: index into result.races[], or CX_RACE_NONE
    uint32_t confirmed;                 // replays with the same signature
    uint32_t replays;                   // replays played
    uint64_t count;                     // runs that showed it
    uint64_t run;                       // the first of them, or CX_RUN_DEFAULT
    uint64_t seed;                      // of that run
    int by_seed;                        // 1: its schedule is too long to be kept, its strategy makes it again
    int expected;                       // a canary's own kind
    int regressed;                      // `known` says that this version has the fix
    const struct cx_known_entry *known; // borrowed; what explains it, or NULL
    char divergence[400];
    char source[800];             // of a divergence, likely: where, what and why; empty: not looked for, or not found
    char schedule_path[PATH_MAX]; // empty: not written
};

// 1 if nobody expects it: no canary's own kind, and not a known defect where that is expected.
int cx_finding_unexpected(const struct cx_finding *finding);

// All findings of one scenario on one target, in the order of their first runs. Zeroed memory is valid and empty.
struct cx_findings {
    struct cx_finding **list; // owned, each of them too
    size_t count;
};

void cx_findings_fini(struct cx_findings *findings);

// The finding with this signature id, or NULL. Borrowed.
struct cx_finding *cx_findings_get(const struct cx_findings *findings, const char *id);

// Add a zeroed finding with this signature. Borrowed; stays where it is when others are added.
struct cx_finding *cx_findings_add(struct cx_findings *findings, const struct cx_signature *signature);

// Take back the last one that was added.
void cx_findings_drop(struct cx_findings *findings);

// "confirmed", "diverged", ... Borrowed, static.
const char *cx_finding_status_name(enum cx_finding_status status);

#endif
