// SPDX-License-Identifier: Apache-2.0
//
// mutex: pthread mutexes. The real mutex is kept (libc itself and ThreadSanitizer see an ordinary lock); it is only
// ever tried. A thread that does not get it is blocked in the scheduler until the holder lets go.
#include "harness/interpose/interpose.h"

#include <errno.h>

static int kind_of(const pthread_mutex_t *mutex)
{
    return mutex->__data.__kind & 3;
}

int cx_mutex_take(struct cx_thread *self, pthread_mutex_t *mutex, enum cx_op op, uint64_t deadline_ns,
                  const void *caller)
{
    for (;;) {
        int error = cx_real.pthread_mutex_trylock(mutex);
        if (error == EBUSY && kind_of(mutex) == PTHREAD_MUTEX_ERRORCHECK && cx_lock_owner(mutex) == self) {
            // The real lock says at once what is wrong (EDEADLK), where trylock only says "busy".
            return cx_real.pthread_mutex_lock(mutex);
        }
        if (error != EBUSY) {
            if (error == 0 || error == EOWNERDEAD) {
                cx_lock_acquired(mutex, self);
                cx_lost(self, mutex);
            }
            return error;
        }
        if (cx_block(self, op, mutex, deadline_ns, caller) == CX_WAKE_TIMEOUT) {
            return ETIMEDOUT;
        }
    }
}

int cx_mutex_give(struct cx_thread *self, pthread_mutex_t *mutex)
{
    (void)self;
    int error = cx_real.pthread_mutex_unlock(mutex);
    if (error == 0) {
        // A recursive mutex that is still held stays ours: its waiters would only fail again.
        if (kind_of(mutex) == PTHREAD_MUTEX_RECURSIVE && mutex->__data.__owner != 0) {
            return 0;
        }
        cx_lock_released(mutex);
        cx_wake_all(mutex, 1);
    }
    return error;
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->pthread_mutex_lock(mutex);
    }
    cx_step(self, CX_OP_MUTEX_LOCK, mutex, CX_CALLER);
    int error = cx_mutex_take(self, mutex, CX_OP_MUTEX_LOCK, CX_NO_DEADLINE, CX_CALLER);
    cx_step_after(self, mutex, CX_CALLER);
    return error;
}

int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->pthread_mutex_trylock(mutex);
    }
    if (cx_lock_owner(mutex) != NULL) {
        cx_step_look(self, CX_OP_MUTEX_TRYLOCK, mutex, CX_CALLER);
    } else {
        cx_step(self, CX_OP_MUTEX_TRYLOCK, mutex, CX_CALLER);
    }
    int error = cx_real.pthread_mutex_trylock(mutex);
    if (error == 0 || error == EOWNERDEAD) {
        cx_lock_acquired(mutex, self);
        cx_lost(self, mutex);
    }
    return error;
}

static int lock_until(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *absolute, const void *caller)
{
    struct cx_thread *self = cx_self;
    cx_step(self, CX_OP_MUTEX_LOCK, mutex, caller);
    if (!cx_timespec_valid(absolute)) {
        // POSIX: an invalid time is an error only if the call would have to wait.
        int error = cx_real.pthread_mutex_trylock(mutex);
        if (error == EBUSY) {
            return EINVAL;
        }
        if (error == 0) {
            cx_lock_acquired(mutex, self);
            cx_lost(self, mutex);
        }
        return error;
    }
    return cx_mutex_take(self, mutex, CX_OP_MUTEX_LOCK, cx_deadline_of(clock, absolute), caller);
}

int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *absolute)
{
    if (cx_self == NULL) {
        return cx_the_real()->pthread_mutex_timedlock(mutex, absolute);
    }
    return lock_until(mutex, CLOCK_REALTIME, absolute, CX_CALLER);
}

int pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *absolute)
{
    if (cx_self == NULL) {
        return cx_the_real()->pthread_mutex_clocklock(mutex, clock, absolute);
    }
    if (!cx_clock_for_waits(clock)) {
        return EINVAL;
    }
    return lock_until(mutex, clock, absolute, CX_CALLER);
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->pthread_mutex_unlock(mutex);
    }
    cx_step(self, CX_OP_MUTEX_UNLOCK, mutex, CX_CALLER);
    int error = cx_mutex_give(self, mutex);
    cx_step_after(self, mutex, CX_CALLER);
    return error;
}
