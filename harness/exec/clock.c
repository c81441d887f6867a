// SPDX-License-Identifier: Apache-2.0
//
// clock: see clock.h.
#include "harness/exec/clock.h"

#include <limits.h>
#include <time.h>

uint64_t cx_clock_ns(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * CX_NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t cx_clock_unix_ms(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / CX_NS_PER_MS;
}

int cx_clock_poll_ms(uint64_t deadline_ns)
{
    if (deadline_ns == CX_NO_DEADLINE) {
        return -1;
    }
    uint64_t now_ns = cx_clock_ns();
    if (deadline_ns <= now_ns) {
        return 0;
    }
    uint64_t rest_ms = (deadline_ns - now_ns + CX_NS_PER_MS - 1) / CX_NS_PER_MS;
    return rest_ms > INT_MAX ? INT_MAX : (int)rest_ms;
}
