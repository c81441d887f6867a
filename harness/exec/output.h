// SPDX-License-Identifier: Apache-2.0
//
// output: what a run left in its two files. The reading halves of worker.h (cx_worker_output, cx_worker_log) live in
// output.c; these are the descriptors that they need.
#ifndef CX_EXEC_OUTPUT_H
#define CX_EXEC_OUTPUT_H

#include "harness/exec/worker.h"

int cx_worker__output_fd(const struct cx_worker *worker);
int cx_worker__log_fd(const struct cx_worker *worker);

#endif
