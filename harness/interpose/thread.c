// SPDX-License-Identifier: Apache-2.0
//
// thread: pthread_create, join in all its forms, detach, cancellation. pthread_exit is libc's: it unwinds to the
// thread's start, runs its destructors, and ours among them ends the thread (harness/sched/thread.c).
#include "harness/interpose/interpose.h"
#include "harness/sched/again.h"

#include <errno.h>

int pthread_create(pthread_t *handle, const pthread_attr_t *attributes, void *(*body)(void *), void *argument)
{
    struct cx_thread *self = cx_self != NULL ? cx_self : cx_sched_begin_due();
    if (self == NULL) {
        return cx_the_real()->pthread_create(handle, attributes, body, argument);
    }
    cx_step(self, CX_OP_THREAD_CREATE, NULL, CX_CALLER);
    int error = cx_thread_create(self, handle, attributes, body, argument, "");
    cx_step_after(self, NULL, CX_CALLER);
    return error;
}

// Wait for `handle` and reap it. `deadline_ns` 0: do not wait.
static int join_until(struct cx_thread *self, pthread_t handle, void **result, uint64_t deadline_ns, int busy_error,
                      const void *caller)
{
    struct cx_thread *thread = cx_thread_find(handle);
    if (thread == NULL || thread == self) {
        // Not a thread of ours, or a self-join: libc knows the right error.
        return thread == self ? EDEADLK : cx_real.pthread_join(handle, result);
    }
    if (thread->detached) {
        return EINVAL;
    }
    int look = deadline_ns == 0 && thread->status != CX_THREAD_EXITED;
    if (look) {
        cx_step_look(self, CX_OP_THREAD_JOIN, thread, caller);
    } else {
        cx_step(self, CX_OP_THREAD_JOIN, thread, caller);
    }
    while (thread->status != CX_THREAD_EXITED) {
        if (deadline_ns == 0 || cx_block(self, CX_OP_THREAD_JOIN, thread, deadline_ns, caller) == CX_WAKE_TIMEOUT) {
            return busy_error;
        }
        cx_cancellation_point(self);
    }
    // Detached or joined by another thread in the meantime.
    return thread->handle != 0 ? cx_thread_reap(thread, result) : EINVAL;
}

int pthread_join(pthread_t handle, void **result)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->pthread_join(handle, result);
    }
    return join_until(self, handle, result, CX_NO_DEADLINE, 0, CX_CALLER);
}

int pthread_tryjoin_np(pthread_t handle, void **result)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->pthread_tryjoin_np(handle, result);
    }
    return join_until(self, handle, result, 0, EBUSY, CX_CALLER);
}

int pthread_timedjoin_np(pthread_t handle, void **result, const struct timespec *absolute)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->pthread_timedjoin_np(handle, result, absolute);
    }
    return join_until(self, handle, result, cx_deadline_of(CLOCK_REALTIME, absolute), ETIMEDOUT, CX_CALLER);
}

int pthread_clockjoin_np(pthread_t handle, void **result, clockid_t clock, const struct timespec *absolute)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->pthread_clockjoin_np(handle, result, clock, absolute);
    }
    if (!cx_clock_for_waits(clock)) {
        return EINVAL;
    }
    return join_until(self, handle, result, cx_deadline_of(clock, absolute), ETIMEDOUT, CX_CALLER);
}

int pthread_detach(pthread_t handle)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return cx_the_real()->pthread_detach(handle);
    }
    struct cx_thread *thread = cx_thread_find(handle);
    cx_step(self, CX_OP_THREAD_DETACH, thread, CX_CALLER);
    return thread != NULL ? cx_thread_detach(thread) : cx_real.pthread_detach(handle);
}

void pthread_exit(void *value)
{
    void (*real)(void *) = cx_real_libc("pthread_exit");
    if (cx_self != NULL) {
        cx_self->result = value;
    }
    real(value);
    cx_leave(3);
}

// Deferred cancellation comes at the calls of libc that we define, and what these calls wait in ends for it. A thread
// that asks for asynchronous cancellation would end between two points, which nobody could repeat.
int pthread_cancel(pthread_t handle)
{
    struct cx_thread *self = cx_self;
    struct cx_thread *thread = self != NULL ? cx_thread_find(handle) : NULL;
    int (*real)(pthread_t) = cx_real_libc("pthread_cancel");
    if (thread == NULL) {
        return real(handle);
    }
    cx_again_unfit("the cancellation of a thread");
    cx_step(self, CX_OP_SIGNAL, thread, CX_CALLER);
    int error = thread->status == CX_THREAD_EXITED ? 0 : real(handle);
    thread->cancelled = 1;
    cx_interrupt(thread);
    cx_step_after(self, thread, CX_CALLER);
    return error;
}

int pthread_setcanceltype(int type, int *old)
{
    int (*real)(int, int *) = cx_real_libc("pthread_setcanceltype");
    if (cx_self != NULL && type == PTHREAD_CANCEL_ASYNCHRONOUS) {
        cx_say_uncontrolled("asynchronous cancellation of a thread");
    }
    return real(type, old);
}
