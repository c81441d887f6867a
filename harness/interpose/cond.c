// SPDX-License-Identifier: Apache-2.0
//
// cond: pthread condition variables. Waiters live in the scheduler alone; the real condition variable is never waited
// on, so who is woken is a choice of the schedule. Happens-before comes from the mutex, as in ThreadSanitizer itself.
#include "harness/interpose/interpose.h"

#include <errno.h>

// The clock that pthread_cond_timedwait measures by: glibc keeps it in bit 1 of the wait-reference word.
static clockid_t clock_of(const pthread_cond_t *condition)
{
    return (condition->__data.__wrefs & 2) != 0 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

static int wait_until(struct cx_thread *self, pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t deadline_ns,
                      const void *caller)
{
    cx_step(self, CX_OP_COND_WAIT, condition, caller);
    cx_cancellation_point(self);
    // Become a waiter first, then let the mutex go: nobody can signal in between, since we hold the token.
    cx_wait_prepare(self, CX_OP_COND_WAIT, condition, deadline_ns);
    int error = cx_mutex_give(self, mutex);
    if (error != 0) {
        cx_wait_cancel(self);
        return error;
    }
    enum cx_wake wake = cx_wait_commit(self, caller);
    error = cx_mutex_take(self, mutex, CX_OP_MUTEX_LOCK, CX_NO_DEADLINE, caller);
    if (error != 0) {
        return error;
    }
    cx_cancellation_point(self); // with the mutex, as POSIX has it
    return wake == CX_WAKE_TIMEOUT ? ETIMEDOUT : 0;
}

int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->pthread_cond_wait(condition, mutex);
    }
    return wait_until(self, condition, mutex, CX_NO_DEADLINE, CX_CALLER);
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *absolute)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->pthread_cond_timedwait(condition, mutex, absolute);
    }
    if (!cx_timespec_valid(absolute)) {
        return EINVAL;
    }
    return wait_until(self, condition, mutex, cx_deadline_of(clock_of(condition), absolute), CX_CALLER);
}

int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                           const struct timespec *absolute)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->pthread_cond_clockwait(condition, mutex, clock, absolute);
    }
    if (!cx_clock_for_waits(clock) || !cx_timespec_valid(absolute)) {
        return EINVAL;
    }
    return wait_until(self, condition, mutex, cx_deadline_of(clock, absolute), CX_CALLER);
}

int pthread_cond_signal(pthread_cond_t *condition)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->pthread_cond_signal(condition);
    }
    cx_step(self, CX_OP_COND_SIGNAL, condition, CX_CALLER);
    cx_wake_one(self, condition);
    cx_step_after(self, condition, CX_CALLER);
    return 0;
}

int pthread_cond_broadcast(pthread_cond_t *condition)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->pthread_cond_broadcast(condition);
    }
    cx_step(self, CX_OP_COND_BROADCAST, condition, CX_CALLER);
    cx_wake_all(condition, 0);
    cx_step_after(self, condition, CX_CALLER);
    return 0;
}
