// SPDX-License-Identifier: Apache-2.0
//
// finding: what becomes of a run that failed. See drive.h.
#ifndef CX_FUZZ_FINDING_H
#define CX_FUZZ_FINDING_H

#include "fuzz/common/drive.h"
#include "harness/exec/worker.h"
#include "harness/status.h"

// Runs are judged from now on; this worker, which stays the caller's, tells what the target's runners are.
enum cx_status fuzz_finding_begin(struct cx_worker *worker, const char *target, struct cx_error *error);
void fuzz_finding_end(void);

// Judge the worker's last run, of the input with this number from 1, and file what is new. 1 if it failed, whether that
// is new or not. `*outcome` is as in fuzz_reached.
int fuzz_finding_judge(const struct fuzz_run *run, struct cx_worker *worker, uint64_t number, uint64_t *outcome);

#endif
