// SPDX-License-Identifier: Apache-2.0
//
// signal_wait: threads that wait for a signal: sigwait and its kin, sigsuspend, pause.
#include "harness/interpose/interpose.h"
#include "harness/interpose/native.h"
#include "harness/interpose/signals.h"
#include "harness/sched/futex.h"

#include <errno.h>
#include <string.h>

#define KERNEL_SET_BYTES 8

struct question {
    const struct cx_thread *thread;
    uint64_t wanted;
};

static int is_pending(void *argument)
{
    const struct question *question = argument;
    uint64_t pending;
    uint64_t blocked;
    cx_signal_kernel(question->thread, &pending, &blocked);
    return (pending & question->wanted) != 0;
}

static int wait_for(struct cx_thread *self, const sigset_t *set, siginfo_t *info, uint64_t deadline_ns,
                    const void *caller)
{
    static const struct timespec at_once = {0, 0};
    struct question question = {.thread = self};
    memcpy(&question.wanted, set, sizeof(question.wanted));
    for (;;) {
        int over = cx_await(self, CX_OP_SIGNAL_WAIT, deadline_ns, is_pending, &question, caller);
        long got = cx_syscall6(SYS_rt_sigtimedwait, (long)set, (long)info, (long)&at_once, KERNEL_SET_BYTES, 0, 0);
        // Another thread may have taken what was for any of them.
        if (got != -EAGAIN || over != 1) {
            errno = got > 0 ? errno : (over < 0 ? EINTR : (int)-got);
            return got > 0 ? (int)got : -1;
        }
    }
}

int sigwaitinfo(const sigset_t *restrict set, siginfo_t *restrict info)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        int (*real)(const sigset_t *, siginfo_t *) = cx_real_libc("sigwaitinfo");
        return real(set, info);
    }
    return wait_for(self, set, info, CX_NO_DEADLINE, CX_CALLER);
}

int sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict info, const struct timespec *restrict timeout)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        int (*real)(const sigset_t *, siginfo_t *, const struct timespec *) = cx_real_libc("sigtimedwait");
        return real(set, info, timeout);
    }
    if (timeout != NULL && (!cx_timespec_valid(timeout) || timeout->tv_sec < 0)) {
        errno = EINVAL;
        return -1;
    }
    uint64_t deadline_ns = timeout == NULL
                               ? CX_NO_DEADLINE
                               : cx_now_ns() + (uint64_t)timeout->tv_sec * 1000000000 + (uint64_t)timeout->tv_nsec;
    return wait_for(self, set, info, deadline_ns, CX_CALLER);
}

int sigwait(const sigset_t *restrict set, int *restrict number)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        int (*real)(const sigset_t *, int *) = cx_real_libc("sigwait");
        return real(set, number);
    }
    int got = -1;
    while (got < 0) { // a handler that ran in between is no end of this wait
        got = wait_for(self, set, NULL, CX_NO_DEADLINE, CX_CALLER);
    }
    *number = got;
    return 0;
}

int sigsuspend(const sigset_t *set)
{
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        int (*real)(const sigset_t *) = cx_real_libc("sigsuspend");
        return real(set);
    }
    sigset_t old;
    uint32_t handled = self->handled;
    cx_step(self, CX_OP_SIGNAL_WAIT, set, CX_CALLER);
    cx_cancellation_point(self);
    cx_signal_mask(SIG_SETMASK, set, &old);
    while (self->handled == handled) {
        cx_block(self, CX_OP_SIGNAL_WAIT, &self->handled, CX_NO_DEADLINE, CX_CALLER);
        cx_cancellation_point(self);
    }
    cx_signal_mask(SIG_SETMASK, &old, NULL);
    errno = EINTR;
    return -1;
}

// A thread that pauses is no party to a deadlock: CPython leaves those here that come too late. A signal ends it.
int pause(void)
{
    struct cx_thread *self = cx_self;
    cx_actor_parks();
    if (self == NULL) {
        return cx_the_real()->pause();
    }
    cx_park(self, CX_CALLER);
    cx_cancellation_point(self);
    errno = EINTR;
    return -1;
}
