// SPDX-License-Identifier: Apache-2.0
//
// interrupt: Ctrl-C as a flag. The first SIGINT or SIGTERM asks the running command to stop cleanly: it writes what it
// has and exits 130. The second one ends the process at once.
#ifndef CX_EXEC_INTERRUPT_H
#define CX_EXEC_INTERRUPT_H

#include <signal.h>

// Install the handlers and ignore SIGPIPE. Blocking calls then return EINTR.
void cx_interrupt_init(void);

// The default dispositions again, for the child side of a fork.
void cx_interrupt_reset(void);

// 1 once an interrupt has arrived.
int cx_interrupted(void);

// For ppoll(2): the mask under which an interrupt wakes the caller. Outside of it SIGINT and SIGTERM are blocked, so
// that one that arrives between the test of the flag and the wait is not lost.
const sigset_t *cx_interrupt_wait_mask(void);

#endif
