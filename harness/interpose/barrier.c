// SPDX-License-Identifier: Apache-2.0
//
// barrier and once: both are kept in the scheduler while a run is controlled. A barrier's size is remembered when it is
// made, also before control begins. The routine of a once-control may be switched away from, so the real
// pthread_once, which would block in the kernel, is only called when the routine has run.
#include "harness/interpose/interpose.h"

#include <errno.h>

#define BARRIERS_MAX 256
#define ONCES_MAX 256

struct barrier {
    pthread_barrier_t *address; // scheduler token
    unsigned size;              // scheduler token
    unsigned arrived;           // scheduler token
    uint32_t rounds;            // scheduler token: that are complete
};
static struct barrier barriers[BARRIERS_MAX];

// Once-controls whose routine is running.
static struct {
    pthread_once_t *address;  // scheduler token
    struct cx_thread *runner; // scheduler token
} onces[ONCES_MAX];

static struct barrier *barrier_of(pthread_barrier_t *address)
{
    for (int i = 0; i < BARRIERS_MAX; i++) {
        if (barriers[i].address == address) {
            return &barriers[i];
        }
    }
    return NULL;
}

int pthread_barrier_init(pthread_barrier_t *address, const pthread_barrierattr_t *attributes, unsigned size)
{
    int error = cx_the_real()->pthread_barrier_init(address, attributes, size);
    if (error != 0) {
        return error;
    }
    struct barrier *barrier = barrier_of(address);
    if (barrier == NULL) {
        barrier = barrier_of(NULL);
    }
    if (barrier == NULL) {
        return ENOMEM;
    }
    barrier->address = address;
    barrier->size = size;
    barrier->arrived = 0;
    barrier->rounds = 0;
    return 0;
}

int pthread_barrier_destroy(pthread_barrier_t *address)
{
    struct barrier *barrier = barrier_of(address);
    if (barrier != NULL) {
        barrier->address = NULL;
    }
    return cx_the_real()->pthread_barrier_destroy(address);
}

int pthread_barrier_wait(pthread_barrier_t *address)
{
    struct cx_thread *self = cx_self;
    struct barrier *barrier = self != NULL ? barrier_of(address) : NULL;
    if (barrier == NULL) {
        return cx_the_real()->pthread_barrier_wait(address);
    }
    cx_step(self, CX_OP_BARRIER_WAIT, address, CX_CALLER);
    cx_real.release(address);
    if (++barrier->arrived < barrier->size) {
        uint32_t round = barrier->rounds;
        while (barrier->rounds == round) {
            cx_block(self, CX_OP_BARRIER_WAIT, address, CX_NO_DEADLINE, CX_CALLER);
        }
        cx_real.acquire(address);
        return 0;
    }
    barrier->arrived = 0;
    barrier->rounds++;
    cx_real.acquire(address);
    cx_wake_all(address, 0);
    return PTHREAD_BARRIER_SERIAL_THREAD;
}

static void nothing(void)
{
}

static int once_slot(const pthread_once_t *address)
{
    for (int i = 0; i < ONCES_MAX; i++) {
        if (onces[i].address == address) {
            return i;
        }
    }
    return -1;
}

// glibc and ThreadSanitizer both keep 2 in a once-control that is done.
static int once_done(const pthread_once_t *address)
{
    return (__atomic_load_n(address, __ATOMIC_ACQUIRE) & 3) == 2;
}

int pthread_once(pthread_once_t *control, void (*routine)(void))
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->pthread_once(control, routine);
    }
    cx_step(self, CX_OP_ONCE, control, CX_CALLER);
    while (!once_done(control)) {
        int slot = once_slot(control);
        if (slot < 0) {
            slot = once_slot(NULL);
            if (slot < 0) {
                return cx_real.pthread_once(control, routine);
            }
            onces[slot].address = control;
            onces[slot].runner = self;
            cx_lock_acquired(control, self);
            routine();
            cx_real.pthread_once(control, nothing);
            cx_lock_released(control);
            onces[slot].address = NULL;
            cx_wake_all(control, 0);
            cx_step_after(self, control, CX_CALLER);
            return 0;
        }
        cx_block(self, CX_OP_ONCE, control, CX_NO_DEADLINE, CX_CALLER);
    }
    // The real call on a finished control only makes the happens-before edge.
    return cx_real.pthread_once(control, nothing);
}
