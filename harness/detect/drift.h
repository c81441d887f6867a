// SPDX-License-Identifier: Apache-2.0
//
// drift: does a scenario that leaves nothing behind leave something behind?
//
// It is played several times in one process, each time under the same schedule as far as that can be said, and what
// lives is counted in between, when nothing else runs. The first play fills caches. What every later play adds again,
// always the same, is a drift; what comes once is another cache. docs/drift.md says what is exact about it.
#ifndef CX_DETECT_DRIFT_H
#define CX_DETECT_DRIFT_H

#include <stddef.h>
#include <stdint.h>

#include "harness/outcome.h"

#define CX_DRIFT_PLAYS 4 // the first warms up, the others must agree
#define CX_CENSUS_MAX 2048

// The first entries of a census. Those from CX_TOTAL_MEMORY on are memory without objects.
enum cx_total {
    CX_TOTAL_REFERENCES = 0, // CPython's own total of a debug build
    CX_TOTAL_POOLED,         // references that wait in the runtime's pools
    CX_TOTAL_OBJECTS,        // blocks that hold an object or were meant to
    CX_TOTAL_MEMORY,         // blocks of PYMEM_DOMAIN_MEM
    CX_TOTAL_RAW,            // blocks of PYMEM_DOMAIN_RAW
    CX_TOTAL_RAW_BYTES,      // and their bytes
    CX_TOTAL_COUNT,
};

// What lives, as numbers that only mean something beside another census: totals, then objects by type.
struct cx_census {
    uint32_t count;
    int64_t values[CX_CENSUS_MAX];
};

// 1 if what `plays` censuses show (at least two) might still be a drift. `plays` below CX_DRIFT_PLAYS: play again.
int cx_drift_suspected(const struct cx_census *censuses, uint32_t plays);

// Judge CX_DRIFT_PLAYS censuses: CX_OUTCOME_DRIFT, CX_OUTCOME_LEAK, or CX_OUTCOME_PASS. Writes what one play adds:
// "+1 dict, +3 references; +2 blocks of memory". What stands before the semicolon is the signature's. `types` names
// the entries after the totals. `entry`: of what was added, the one to ask where it was made; CX_TOTAL_REFERENCES if
// that cannot be asked.
enum cx_outcome cx_drift_judge(const struct cx_census *censuses, const char *const *types, char *text,
                               size_t text_bytes, uint32_t *entry);

#endif
