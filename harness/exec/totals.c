// SPDX-License-Identifier: Apache-2.0
//
// totals: see totals.h.
#include "harness/exec/totals.h"

#include <stdio.h>

void cx_totals_add(struct cx_totals *totals, const struct cx_record *record, int first, int failing, int controlled)
{
    totals->threads_max = record->threads_count > totals->threads_max ? record->threads_count : totals->threads_max;
    totals->cpu_ns += record->cpu_ns;
    totals->fork_ns += record->fork_ns;
    totals->wall_ns += record->wall_ns;
    totals->steps += record->steps;
    totals->switches += record->switches;
    totals->accesses_seen |= record->accesses_seen;
    if (record->detailed && record->result->uncontrolled[0] != '\0' && totals->uncontrolled[0] == '\0') {
        snprintf(totals->uncontrolled, sizeof(totals->uncontrolled), "%s", record->result->uncontrolled);
    }
    if (record->outcome == CX_OUTCOME_ERROR && totals->runs_error++ == 0) {
        snprintf(totals->error_text, sizeof(totals->error_text), "%s", record->result->message);
    }
    totals->runs_skipped += record->outcome == CX_OUTCOME_SKIP;
    if (first) {
        totals->choices_expected = record->choices;
        return;
    }
    totals->runs++;
    totals->runs_failing += failing;
    totals->runs_parked += record->threads_parked > 0;
    totals->choices += record->choices;
    if (controlled) {
        cx_set_add(&totals->interleavings, record->fingerprint);
    }
}
