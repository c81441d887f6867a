// SPDX-License-Identifier: Apache-2.0
//
// state: the moves between the states of a thread, for the scheduler's own files. Defined in core.c, but for the last.
#ifndef CX_STATE_H
#define CX_STATE_H

#include "harness/sched/sched.h"

// Count the points that the running thread has passed since this was last done. Before every change of the sets that
// decide what a choice is.
void cx__settle(void);
// The running thread may pass so many points before somebody must look again. After every such change.
void cx__arm(struct cx_thread *self);
void cx__make_blocked(struct cx_thread *thread);
// `retry`: only to try for what it waits for again.
void cx__make_runnable(struct cx_thread *thread, enum cx_wake wake, int retry);

// ---- segment.c ----

// From now on, the next segment of the request begins where it says.
void cx__segments_expect(void);
// One or more are due.
void cx__segments_begin(void);

#endif
