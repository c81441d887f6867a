// SPDX-License-Identifier: Apache-2.0
//
// steps: the step log of a replay as a text file, one step per line:
//
//     STEP THREAD POINT OPERATION OBJECT FUNCTION FILE:LINE
//
// The same schedule writes the same bytes again.
#ifndef CX_TRACE_STEPS_H
#define CX_TRACE_STEPS_H

#include "harness/detect/signature.h"
#include "harness/exec/worker.h"
#include "harness/status.h"

// Write the log of the worker's last run, which must have had CX_MODE_LOG.
enum cx_status cx_steps_write(const struct cx_worker *worker, const struct cx_resolver *resolver, const char *path,
                              struct cx_error *error);

#endif
