// SPDX-License-Identifier: Apache-2.0
//
// clock: real time for the command: deadlines, the live line, `--for`. Nothing that decides about a schedule or is
// written into a finding may come from here.
#ifndef CX_EXEC_CLOCK_H
#define CX_EXEC_CLOCK_H

#include <stdint.h>

#define CX_NS_PER_MS 1000000ULL
#define CX_NS_PER_S 1000000000ULL
#define CX_NO_DEADLINE UINT64_MAX

// Monotonic time since an arbitrary start.
uint64_t cx_clock_ns(void);

// Milliseconds since 1970, for what is written down about a session.
uint64_t cx_clock_unix_ms(void);

// Milliseconds from now to a deadline, for poll(2): rounded up, 0 when it has passed, -1 for CX_NO_DEADLINE.
int cx_clock_poll_ms(uint64_t deadline_ns);

#endif
