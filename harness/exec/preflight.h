// SPDX-License-Identifier: Apache-2.0
//
// preflight: is this runner what its name says?
//
// A free-threaded build whose GIL came on, a "tsan" target without ThreadSanitizer, addresses that move: every one of
// them makes runs that find nothing, and look like passes. They are refused before the first run.
#ifndef CX_EXEC_PREFLIGHT_H
#define CX_EXEC_PREFLIGHT_H

#include "harness/exec/channel.h"
#include "harness/status.h"

// CX_OK, or CX_ERR_ENVIRONMENT with one sentence. `controlled`: schedules will be ours.
enum cx_status cx_preflight(const struct cx_identity *identity, const char *target, int controlled,
                            struct cx_error *error);

#endif
