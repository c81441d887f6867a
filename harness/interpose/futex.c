// SPDX-License-Identifier: Apache-2.0
//
// futex: waits and wakes that a library does itself, through libc's syscall(): std::future, std::atomic::wait and what
// C++20 builds on it, guards of local statics, Rust's locks. Waiters are kept in the scheduler, as for condition
// variables. A library with a system-call instruction of its own is not seen.
#include "harness/interpose/interpose.h"
#include "harness/sched/futex.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static uint64_t deadline_of(int operation, const struct timespec *timeout)
{
    if (timeout == NULL || (operation & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET) {
        return cx_deadline_of((operation & FUTEX_CLOCK_REALTIME) != 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC, timeout);
    }
    return cx_now_ns() + (uint64_t)timeout->tv_sec * 1000000000ULL + (uint64_t)timeout->tv_nsec;
}

static int futex_wait(struct cx_thread *self, const uint32_t *word, uint32_t value, uint64_t deadline_ns,
                      const void *caller)
{
    if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != value) {
        cx_step_look(self, CX_OP_FUTEX_WAIT, word, caller);
        return EAGAIN;
    }
    cx_step(self, CX_OP_FUTEX_WAIT, word, caller);
    if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != value) {
        return EAGAIN;
    }
    enum cx_wake wake = cx_block(self, CX_OP_FUTEX_WAIT, word, deadline_ns, caller);
    return wake == CX_WAKE_TIMEOUT ? ETIMEDOUT : (wake == CX_WAKE_INTERRUPT ? EINTR : 0);
}

static long futex_wake(struct cx_thread *self, const uint32_t *word, uint32_t count, const void *caller)
{
    long woken = 0;
    cx_step(self, CX_OP_FUTEX_WAKE, word, caller);
    while (woken < (long)count && cx_wake_one(self, word)) {
        woken++;
    }
    cx_step_after(self, word, caller);
    return woken;
}

static long from_kernel(long result)
{
    if (result < 0 && result > -4096) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

long syscall(long number, ...)
{
    long words[6];
    va_list more;
    va_start(more, number);
    for (int i = 0; i < 6; i++) {
        words[i] = va_arg(more, long);
    }
    va_end(more);
    struct cx_thread *self = cx_self;
    if (self == NULL || number != SYS_futex) {
        return from_kernel(cx_syscall6(number, words[0], words[1], words[2], words[3], words[4], words[5]));
    }
    const uint32_t *word = (const uint32_t *)words[0];
    int operation = (int)words[1];
    int command = operation & FUTEX_CMD_MASK;
    if (command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET) {
        uint64_t deadline_ns = deadline_of(operation, (const struct timespec *)words[3]);
        return from_kernel(-futex_wait(self, word, (uint32_t)words[2], deadline_ns, CX_CALLER));
    }
    if (command == FUTEX_WAKE || command == FUTEX_WAKE_BITSET) {
        return futex_wake(self, word, (uint32_t)words[2], CX_CALLER);
    }
    char text[60];
    snprintf(text, sizeof(text), "futex operation %d", command);
    cx_say_uncontrolled(text);
    return from_kernel(cx_syscall6(number, words[0], words[1], words[2], words[3], words[4], words[5]));
}
