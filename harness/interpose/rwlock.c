// SPDX-License-Identifier: Apache-2.0
//
// rwlock: pthread read-write locks. The real lock is kept and only tried; whoever releases it lets every waiter try
// again. For wait-for graphs the last writer counts as the holder; readers are not tracked one by one.
#include "harness/interpose/interpose.h"

#include <errno.h>

static int take_until(struct cx_thread *self, pthread_rwlock_t *lock, int write, uint64_t deadline_ns,
                      const void *caller)
{
    enum cx_op op = write ? CX_OP_RWLOCK_WRLOCK : CX_OP_RWLOCK_RDLOCK;
    for (;;) {
        int error = write ? cx_real.pthread_rwlock_trywrlock(lock) : cx_real.pthread_rwlock_tryrdlock(lock);
        if (error != EBUSY) {
            if (error == 0 && write) {
                cx_lock_acquired(lock, self);
                cx_lost(self, lock);
            }
            return error;
        }
        if (cx_lock_owner(lock) == self) {
            return EDEADLK;
        }
        if (cx_block(self, op, lock, deadline_ns, caller) == CX_WAKE_TIMEOUT) {
            return ETIMEDOUT;
        }
    }
}

static int lock_now(struct cx_thread *self, pthread_rwlock_t *lock, int write, uint64_t deadline_ns, const void *caller)
{
    cx_step(self, write ? CX_OP_RWLOCK_WRLOCK : CX_OP_RWLOCK_RDLOCK, lock, caller);
    return take_until(self, lock, write, deadline_ns, caller);
}

static int lock_timed(struct cx_thread *self, pthread_rwlock_t *lock, int write, clockid_t clock,
                      const struct timespec *absolute, const void *caller)
{
    if (!cx_clock_for_waits(clock)) {
        return EINVAL;
    }
    if (!cx_timespec_valid(absolute)) {
        return EINVAL;
    }
    return lock_now(self, lock, write, cx_deadline_of(clock, absolute), caller);
}

static int lock_try(struct cx_thread *self, pthread_rwlock_t *lock, int write, const void *caller)
{
    cx_step_look(self, write ? CX_OP_RWLOCK_WRLOCK : CX_OP_RWLOCK_RDLOCK, lock, caller);
    int error = write ? cx_real.pthread_rwlock_trywrlock(lock) : cx_real.pthread_rwlock_tryrdlock(lock);
    if (error == 0) {
        self->spin.both = CX_SPIN_RESET;
        if (write) {
            cx_lock_acquired(lock, self);
            cx_lost(self, lock);
        }
    }
    return error;
}

int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    struct cx_thread *self = cx_self;
    return self == NULL ? cx_the_real()->pthread_rwlock_rdlock(lock)
                        : lock_now(self, lock, 0, CX_NO_DEADLINE, CX_CALLER);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    struct cx_thread *self = cx_self;
    return self == NULL ? cx_the_real()->pthread_rwlock_wrlock(lock)
                        : lock_now(self, lock, 1, CX_NO_DEADLINE, CX_CALLER);
}

int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock)
{
    struct cx_thread *self = cx_self;
    return self == NULL ? cx_the_real()->pthread_rwlock_tryrdlock(lock) : lock_try(self, lock, 0, CX_CALLER);
}

int pthread_rwlock_trywrlock(pthread_rwlock_t *lock)
{
    struct cx_thread *self = cx_self;
    return self == NULL ? cx_the_real()->pthread_rwlock_trywrlock(lock) : lock_try(self, lock, 1, CX_CALLER);
}

int pthread_rwlock_timedrdlock(pthread_rwlock_t *lock, const struct timespec *absolute)
{
    struct cx_thread *self = cx_self;
    return self == NULL ? cx_the_real()->pthread_rwlock_timedrdlock(lock, absolute)
                        : lock_timed(self, lock, 0, CLOCK_REALTIME, absolute, CX_CALLER);
}

int pthread_rwlock_timedwrlock(pthread_rwlock_t *lock, const struct timespec *absolute)
{
    struct cx_thread *self = cx_self;
    return self == NULL ? cx_the_real()->pthread_rwlock_timedwrlock(lock, absolute)
                        : lock_timed(self, lock, 1, CLOCK_REALTIME, absolute, CX_CALLER);
}

int pthread_rwlock_clockrdlock(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *absolute)
{
    struct cx_thread *self = cx_self;
    return self == NULL ? cx_the_real()->pthread_rwlock_clockrdlock(lock, clock, absolute)
                        : lock_timed(self, lock, 0, clock, absolute, CX_CALLER);
}

int pthread_rwlock_clockwrlock(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *absolute)
{
    struct cx_thread *self = cx_self;
    return self == NULL ? cx_the_real()->pthread_rwlock_clockwrlock(lock, clock, absolute)
                        : lock_timed(self, lock, 1, clock, absolute, CX_CALLER);
}

int pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->pthread_rwlock_unlock(lock);
    }
    cx_step(self, CX_OP_RWLOCK_UNLOCK, lock, CX_CALLER);
    int error = cx_real.pthread_rwlock_unlock(lock);
    if (error == 0) {
        if (cx_lock_owner(lock) == self) {
            cx_lock_released(lock);
        }
        cx_wake_all(lock, 1);
    }
    cx_step_after(self, lock, CX_CALLER);
    return error;
}
