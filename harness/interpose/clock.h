// SPDX-License-Identifier: Apache-2.0
//
// clock: which time the process sees. See time.c.
#ifndef CX_CLOCK_H
#define CX_CLOCK_H

#include <stdint.h>

// 1: real clocks. Set in the child that plays a native run, before any thread of it exists.
extern int cx_clock_real;

// 1: nobody asks for control (a program of `constrictor cc` that was started by hand): everything is libc's.
extern int cx_idle;

// The real monotonic clock, for watchdogs and measurements of our own. Blocks: no.
uint64_t cx_clock_wall_ns(void);

#endif
