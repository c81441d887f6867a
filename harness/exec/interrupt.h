// SPDX-License-Identifier: Apache-2.0
//
// interrupt: Ctrl-C as a flag. The first SIGINT or SIGTERM asks the running command to stop cleanly: it writes what it
// has and exits 130. The second one ends the process at once. A time limit is an interrupt, too: whatever can be
// interrupted ends in time.
#ifndef CX_EXEC_INTERRUPT_H
#define CX_EXEC_INTERRUPT_H

#include <signal.h>
#include <stdint.h>

// Install the handlers and ignore SIGPIPE. Blocking calls then return EINTR.
void cx_interrupt_init(void);

// The default dispositions again, for the child side of a fork.
void cx_interrupt_reset(void);

// 1 once an interrupt has arrived, or the limit has passed.
int cx_interrupted(void);

// The limit: from `deadline_ns` of cx_clock_ns() on the command is interrupted. CX_NO_DEADLINE takes it away.
void cx_interrupt_limit_set(uint64_t deadline_ns);
uint64_t cx_interrupt_limit(void);

// 1 if the limit has passed and nobody has asked for the end.
int cx_interrupt_timed_out(void);

// For ppoll(2): the mask under which an interrupt wakes the caller. Outside of it SIGINT and SIGTERM are blocked, so
// that one that arrives between the test of the flag and the wait is not lost.
const sigset_t *cx_interrupt_wait_mask(void);

#endif
