// SPDX-License-Identifier: Apache-2.0
//
// wake: letting threads go that are blocked: all that wait for an object, or one of them by choice; and taking it back
// from those who were only let try again and have lost.
#include "harness/sched/again.h"
#include "harness/sched/sched.h"
#include "harness/sched/state.h"

uint32_t cx_wake_all(const void *object, int retry)
{
    if (cx_sched.blocked == 0) {
        return 0;
    }
    uint32_t woken = 0;
    cx__settle();
    for (uint32_t i = 0; i < cx_sched.count; i++) {
        struct cx_thread *thread = &cx_sched.threads[i];
        if (thread->status == CX_THREAD_BLOCKED && thread->wait_object == object) {
            cx__make_runnable(thread, CX_WAKE_SIGNAL, retry);
            woken++;
        }
    }
    if (woken > 0) {
        if (!retry) {
            cx_poll_progress();
        }
        cx__arm(cx_sched.current);
    }
    return woken;
}

int cx_wake_one(struct cx_thread *self, const void *object)
{
    static struct cx_thread *waiters[CX_THREADS_MAX]; // scheduler token
    CX_LARGE(waiters, NULL);
    uint32_t count = 0;
    for (uint32_t i = 0; i < cx_sched.count; i++) {
        struct cx_thread *thread = &cx_sched.threads[i];
        if (thread->status == CX_THREAD_BLOCKED && thread->wait_object == object) {
            uint32_t at = count++;
            for (; at > 0 && waiters[at - 1]->wait_seq > thread->wait_seq; at--) {
                waiters[at] = waiters[at - 1];
            }
            waiters[at] = thread;
        }
    }
    if (count == 0) {
        return 0;
    }
    cx__settle();
    cx__make_runnable(waiters[cx_pick(self, count)], CX_WAKE_SIGNAL, 0);
    cx_poll_progress();
    cx__arm(self);
    return 1;
}

void cx_lost(struct cx_thread *self, const void *object)
{
    if (cx_sched.retries == 0) {
        return;
    }
    cx__settle();
    for (uint32_t i = 0; i < cx_sched.count; i++) {
        struct cx_thread *thread = &cx_sched.threads[i];
        if (thread != self && thread->retry && thread->wait_object == object) {
            thread->retry = 0;
            cx_sched.retries--;
            cx__make_blocked(thread);
        }
    }
    cx__arm(self);
}

int cx_interrupt(struct cx_thread *thread)
{
    cx__settle();
    if (thread->status == CX_THREAD_BLOCKED) {
        cx__make_runnable(thread, CX_WAKE_INTERRUPT, 0);
    } else if (thread->status == CX_THREAD_PARKED) {
        thread->status = CX_THREAD_RUNNABLE;
        cx_sched.runnable++;
    } else {
        return 0;
    }
    cx_poll_progress();
    cx__arm(cx_sched.current);
    return 1;
}
