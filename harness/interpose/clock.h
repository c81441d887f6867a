// SPDX-License-Identifier: Apache-2.0
//
// clock: which time the process sees. See time.c.
#ifndef CX_CLOCK_H
#define CX_CLOCK_H

#include <stdint.h>

// 1: real clocks throughout (a runner for native runs). Set before CPython is initialised, never changed.
extern int cx_clock_real;

// The real monotonic clock, for watchdogs and measurements of our own. Blocks: no.
uint64_t cx_clock_wall_ns(void);

#endif
