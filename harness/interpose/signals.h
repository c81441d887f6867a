// SPDX-License-Identifier: Apache-2.0
//
// signals: what the files about signals share. A signal that the program sends to one of its threads reaches it at a
// point of that thread: at once if it sends to itself, else when it next has the token. See signal.c.
#ifndef CX_SIGNALS_H
#define CX_SIGNALS_H

#include <signal.h>

#include "harness/sched/sched.h"

// Send `info` to a thread, or to the process (`target` NULL), as `self`. Returns 0 or an error number.
int cx_signal_send(struct cx_thread *self, struct cx_thread *target, const siginfo_t *info);
// 1 if the program has a handler for this signal.
int cx_signal_handled(int number);
// The program's own sigprocmask, in which a signal that waits in the kernel may come. 0 or -1 with errno.
int cx_signal_mask(int how, const sigset_t *set, sigset_t *old);
// What waits in the kernel for `thread`, its own and the process's, as bits from 0; and what it blocks.
void cx_signal_kernel(const struct cx_thread *thread, uint64_t *pending, uint64_t *blocked);
// Threads whose signal came from outside go on. Returns how many.
uint32_t cx_signal_wake_outside(void);
// In a child that the program has forked, and that stays under control: what was sent, and the timer, are its parent's.
void cx_signals_forked(void);
void cx_itimer_forked(void);

#endif
