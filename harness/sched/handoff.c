// SPDX-License-Identifier: Apache-2.0
//
// handoff: how the token passes from thread to thread.
//
// One futex word a thread: 1 means that it has been given the token. The giver's release store pairs with the taker's
// acquire load, which is all the ordering that the scheduler's plain state needs. ThreadSanitizer must not see any of
// this, or the hand-off would order every access of the program and no race would ever be reported: hence raw system
// calls and compiler builtins, in files compiled without a sanitizer.
//
// A thread that ends passes the token on before libc has taken it down. What libc still does there (its stack goes
// back to a cache, ThreadSanitizer drops its state) would run beside the next thread, so the next holder waits until
// the kernel knows the thread no more.
#include "harness/sched/fiber.h"
#include "harness/sched/futex.h"
#include "harness/sched/sched.h"

#include <errno.h>
#include <unistd.h>

void cx_futex_wait(uint32_t *word, uint32_t value)
{
    cx_syscall6(SYS_futex, (long)word, FUTEX_WAIT_PRIVATE, value, 0, 0, 0);
}

void cx_futex_wake(uint32_t *word)
{
    cx_syscall3(SYS_futex, (long)word, FUTEX_WAKE_PRIVATE, 1);
}

static void await_kernel_exit(void)
{
    int32_t tid = cx_sched.dying_tid;
    cx_sched.dying_tid = 0;
    long pid = cx_syscall3(SYS_getpid, 0, 0, 0);
    // The run is pinned to one CPU: yielding is what lets the other thread finish. No other thread can be made here,
    // so the id cannot come to life again.
    while (cx_syscall3(SYS_tgkill, pid, tid, 0) != -ESRCH) {
        cx_syscall3(SYS_sched_yield, 0, 0, 0);
    }
}

static void await_token(struct cx_thread *self)
{
    while (__atomic_load_n(&self->go, __ATOMIC_ACQUIRE) == 0) {
        cx_futex_wait(&self->go, 0);
    }
    __atomic_store_n(&self->go, 0, __ATOMIC_RELAXED);
    if (cx_sched.dying_tid != 0) {
        await_kernel_exit();
    }
}

static void give_token(struct cx_thread *next)
{
    cx_sched.current = next;
    __atomic_store_n(&next->go, 1, __ATOMIC_RELEASE);
    cx_futex_wake(&next->go);
}

void cx_handoff(struct cx_thread *self, struct cx_thread *next)
{
    self->frame = __builtin_frame_address(0);
    if (self->fiber != NULL) {
        cx_sched.current = next;
        cx_fiber_switch(self->fiber, next->fiber);
        return;
    }
    give_token(next);
    await_token(self);
}

void cx_handoff_last(struct cx_thread *self, struct cx_thread *next)
{
    if (self->fiber != NULL) {
        cx_sched.current = next;
        cx_fiber_switch(self->fiber, next->fiber); // comes back as another thread, or not at all
        return;
    }
    give_token(next);
}

void cx_handoff_first(struct cx_thread *self)
{
    self->frame = __builtin_frame_address(0);
    __atomic_store_n(&self->started, 1, __ATOMIC_RELEASE);
    cx_futex_wake(&self->started);
    await_token(self);
}

void cx_handoff_await_start(struct cx_thread *thread)
{
    while (__atomic_load_n(&thread->started, __ATOMIC_ACQUIRE) == 0) {
        cx_futex_wait(&thread->started, 0);
    }
}
