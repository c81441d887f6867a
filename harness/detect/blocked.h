// SPDX-License-Identifier: Apache-2.0
//
// blocked: see blocked.c.
#ifndef CX_BLOCKED_H
#define CX_BLOCKED_H

#include <ucontext.h>

// In the handler of the real-time watchdog: say which system call the thread was blocked in, if it was.
void cx_say_blocked(const ucontext_t *where);

#endif
