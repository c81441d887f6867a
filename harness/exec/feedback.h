// SPDX-License-Identifier: Apache-2.0
//
// feedback: mutants of runs that showed something new.
#ifndef CX_EXEC_FEEDBACK_H
#define CX_EXEC_FEEDBACK_H

#include <stdint.h>

#include "harness/exec/channel.h"
#include "harness/exec/profile.h"
#include "harness/exec/record.h"

#define CX_FEEDBACK_KEPT_MAX 256
#define CX_FEEDBACK_MUTATIONS_MAX 48

// A run of pos that is worth mutating: its seed, and which of its priorities were drawn anew.
struct cx_feedback_kept {
    uint64_t seed;
    uint32_t mutations_count;
    struct cx_deviation mutations[CX_FEEDBACK_MUTATIONS_MAX];
};

// Zeroed memory is a valid, empty memory of runs.
struct cx_feedback {
    struct cx_feedback_kept *kept; // owned; CX_FEEDBACK_KEPT_MAX of them, the oldest is overwritten
    uint32_t kept_count;           // of this generation and before
    uint32_t usable_count;         // of the generations before this one
    uint64_t seen[CX_COVERAGE_WORDS];
};

void cx_feedback_fini(struct cx_feedback *feedback);
// Make `request` a run of pos: a fresh one, or a mutant of one that was kept.
void cx_feedback_request(const struct cx_feedback *feedback, const struct cx_profile_table *profile, uint64_t seed,
                         struct cx_request *request, struct cx_deviation *plan);
// A run is judged: keep it if it reached pairs of operations that no run before it had reached.
void cx_feedback_judge(struct cx_feedback *feedback, const struct cx_record *record);
// A generation is over: what it kept can be used.
void cx_feedback_generation(struct cx_feedback *feedback);

#endif
