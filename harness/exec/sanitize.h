// SPDX-License-Identifier: Apache-2.0
//
// sanitize: make what a runner wrote safe to read.
//
// The child that writes a result may be killed in the middle of a word, and a child with a wild pointer may hit the
// channel itself. Nothing here repairs a result; it only makes every count fit its array and every text end.
#ifndef CX_EXEC_SANITIZE_H
#define CX_EXEC_SANITIZE_H

#include "harness/exec/channel.h"

// Zero all of a result but the arrays behind their counts (most of its 700 kB).
void cx_sanitize_clear(struct cx_result *result);

void cx_sanitize_result(struct cx_result *result);
void cx_sanitize_batch(struct cx_batch *batch);
void cx_sanitize_identity(struct cx_identity *identity);
void cx_sanitize_scenario(struct cx_scenario_info *scenario);

#endif
