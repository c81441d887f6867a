// SPDX-License-Identifier: Apache-2.0
//
// crew: the workers of one target.
#ifndef CX_EXEC_CREW_H
#define CX_EXEC_CREW_H

#include <stdint.h>

#include "harness/exec/worker.h"
#include "harness/status.h"

// Zeroed memory is a valid, empty crew.
struct cx_crew {
    struct cx_worker *workers[CX_WORKERS_MAX];
    uint32_t count;
};

// Start `jobs` workers (0: one for every CPU that this process may use) of a target, for its scenarios or for a
// `subject` (borrowed; NULL: none), and check that its runner is what its name says (preflight.h). `*crew` must be
// empty; the caller frees with cx_crew_fini() in every case. `controlled`: schedules will be ours, so that addresses
// must repeat.
enum cx_status cx_crew_start(struct cx_crew *crew, const char *target, const struct cx_subject *subject, uint32_t jobs,
                             int controlled, struct cx_error *error);
void cx_crew_fini(struct cx_crew *crew);

#endif
