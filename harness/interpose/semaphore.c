// SPDX-License-Identifier: Apache-2.0
//
// semaphore: POSIX semaphores. The real count is kept and only tried. ThreadSanitizer intercepts all but
// sem_clockwait; since we never call that one for a controlled thread, nothing is lost.
#include "harness/interpose/interpose.h"

#include <errno.h>

static int take_until(struct cx_thread *self, sem_t *semaphore, uint64_t deadline_ns, const void *caller)
{
    int value = 0;
    cx_cancellation_point(self);
    while (cx_real.sem_trywait(semaphore) != 0) {
        if (errno != EAGAIN) {
            return -1;
        }
        enum cx_wake wake = cx_block(self, CX_OP_SEM_WAIT, semaphore, deadline_ns, caller);
        cx_cancellation_point(self);
        if (wake == CX_WAKE_TIMEOUT || (wake == CX_WAKE_INTERRUPT && !self->restarts)) {
            errno = wake == CX_WAKE_TIMEOUT ? ETIMEDOUT : EINTR;
            return -1;
        }
    }
    sem_getvalue(semaphore, &value);
    if (value == 0) {
        cx_lost(self, semaphore);
    }
    cx_step_after(self, semaphore, caller);
    return 0;
}

int sem_wait(sem_t *semaphore)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->sem_wait(semaphore);
    }
    cx_step(self, CX_OP_SEM_WAIT, semaphore, CX_CALLER);
    return take_until(self, semaphore, CX_NO_DEADLINE, CX_CALLER);
}

int sem_trywait(sem_t *semaphore)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->sem_trywait(semaphore);
    }
    int value = 0;
    sem_getvalue(semaphore, &value);
    if (value > 0) {
        cx_step(self, CX_OP_SEM_TRYWAIT, semaphore, CX_CALLER);
    } else {
        cx_step_look(self, CX_OP_SEM_TRYWAIT, semaphore, CX_CALLER);
    }
    int result = cx_real.sem_trywait(semaphore);
    if (result == 0 && value == 1) {
        cx_lost(self, semaphore);
    }
    return result;
}

static int wait_until(sem_t *semaphore, clockid_t clock, const struct timespec *absolute, const void *caller)
{
    struct cx_thread *self = cx_self;
    cx_step(self, CX_OP_SEM_WAIT, semaphore, caller);
    if (!cx_timespec_valid(absolute)) {
        // POSIX: an invalid time is an error only if the call would have to wait.
        if (cx_real.sem_trywait(semaphore) == 0) {
            return 0;
        }
        errno = EINVAL;
        return -1;
    }
    return take_until(self, semaphore, cx_deadline_of(clock, absolute), caller);
}

int sem_timedwait(sem_t *semaphore, const struct timespec *absolute)
{
    if (cx_self == NULL) {
        return cx_the_real()->sem_timedwait(semaphore, absolute);
    }
    return wait_until(semaphore, CLOCK_REALTIME, absolute, CX_CALLER);
}

int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *absolute)
{
    if (cx_self == NULL) {
        return cx_the_real()->sem_clockwait(semaphore, clock, absolute);
    }
    if (!cx_clock_for_waits(clock)) {
        errno = EINVAL;
        return -1;
    }
    return wait_until(semaphore, clock, absolute, CX_CALLER);
}

int sem_post(sem_t *semaphore)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->sem_post(semaphore);
    }
    cx_step(self, CX_OP_SEM_POST, semaphore, CX_CALLER);
    int result = cx_real.sem_post(semaphore);
    if (result == 0) {
        cx_wake_all(semaphore, 1);
    }
    cx_step_after(self, semaphore, CX_CALLER);
    return result;
}
