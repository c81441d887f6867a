// SPDX-License-Identifier: Apache-2.0
//
// spin: pthread spinlocks. A controlled thread never spins: it blocks until the holder lets go.
#include "harness/interpose/interpose.h"

#include <errno.h>

int pthread_spin_lock(pthread_spinlock_t *lock)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->pthread_spin_lock(lock);
    }
    cx_step(self, CX_OP_SPIN_LOCK, (const void *)lock, CX_CALLER);
    while (cx_real.pthread_spin_trylock(lock) == EBUSY) {
        cx_block(self, CX_OP_SPIN_LOCK, (const void *)lock, CX_NO_DEADLINE, CX_CALLER);
    }
    cx_lock_acquired((const void *)lock, self);
    cx_lost(self, (const void *)lock);
    return 0;
}

int pthread_spin_trylock(pthread_spinlock_t *lock)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->pthread_spin_trylock(lock);
    }
    cx_step_look(self, CX_OP_SPIN_LOCK, (const void *)lock, CX_CALLER);
    int error = cx_real.pthread_spin_trylock(lock);
    if (error == 0) {
        self->spin.both = CX_SPIN_RESET;
        cx_lock_acquired((const void *)lock, self);
        cx_lost(self, (const void *)lock);
    }
    return error;
}

int pthread_spin_unlock(pthread_spinlock_t *lock)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->pthread_spin_unlock(lock);
    }
    cx_step(self, CX_OP_SPIN_UNLOCK, (const void *)lock, CX_CALLER);
    int error = cx_real.pthread_spin_unlock(lock);
    cx_lock_released((const void *)lock);
    cx_wake_all((const void *)lock, 1);
    cx_step_after(self, (const void *)lock, CX_CALLER);
    return error;
}
