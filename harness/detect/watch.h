// SPDX-License-Identifier: Apache-2.0
//
// watch: what a run takes in from outside our control, for a replay that looks for the source of a difference.
//
// The kernel tells us: a seccomp filter turns the system calls that bring something in (read, open, getpid, clocks)
// into SIGSYS, and rdtsc is made to fault. The handler does what the program wanted and writes down what came. So the
// program sees what it would have seen, later; what cannot be seen is rdrand and memory that another process writes.
// A program that blocks SIGSYS, or executes another program, cannot be watched: it dies, and the command plays without.
#ifndef CX_DETECT_WATCH_H
#define CX_DETECT_WATCH_H

#include "harness/exec/channel.h"

// Watch the calling thread and all that it makes. There is no end: a filter of the kernel stays.
// Requires: the handlers of harness/detect/crash.c are installed.
void cx_watch_begin(struct cx_channel *channel);

// A fatal signal has come: 1 if it was ours, and the thread goes on behind what it did. `context`: a ucontext_t.
int cx_watch_took(int number, void *context);

// In a child that the program has forked: 1 if this signal must keep its handler, because the filter stays.
int cx_watch_keeps(int number);

#endif
