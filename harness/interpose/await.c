// SPDX-License-Identifier: Apache-2.0
//
// await: threads that wait for a descriptor, or for a child process. They wait in the scheduler, not in the kernel,
// each with a question that tells whether its wait is over. The question is asked again after every controlled
// operation that can change the answer, so what the program's own threads send each other is exact and replays.
//
// What comes from outside (another process, the network) takes real time. When nothing else can run, the process waits
// for it, for a bounded time; only then is it a deadlock. Such a run replays if the answers come in the same order.
#include "harness/interpose/interpose.h"

#include "harness/interpose/clock.h"
#include "harness/interpose/family.h"
#include "harness/interpose/shared.h"
#include "harness/interpose/signals.h"
#include "harness/sched/again.h"
#include "harness/sched/futex.h"

#include <errno.h>
#include <stddef.h>
#include <sys/wait.h>
#include <time.h>

#define NS_PER_MS 1000000ULL
#define QUIET_MS 200    // for a program that never had an answer from outside
#define OUTSIDE_MS 3000 // for one that had, or has made a process
#define CHILD_MS 12000  // for one whose child processes are at work: on a busy machine they may be slow
#define LEAP_MS 2       // before a leap to the next deadline, for the second kind, while no child process is at work

static struct {
    int (*over)(void *argument); // scheduler token: NULL: this thread awaits nothing
    void *argument;              // scheduler token
} awaited[CX_THREADS_MAX];
CX_LARGE(awaited, NULL); // none of them outlives its wait

uint32_t cx_awaiting;       // scheduler token
static int expects_outside; // scheduler token

int cx_await(struct cx_thread *self, enum cx_op op, uint64_t deadline_ns, int (*over)(void *), void *argument,
             const void *caller)
{
    const void *object = &awaited[self->index];
    cx_step(self, op, object, caller);
    cx_cancellation_point(self);
    while (!over(argument)) {
        if (cx_now_ns() >= deadline_ns) {
            return 0;
        }
        awaited[self->index].over = over;
        awaited[self->index].argument = argument;
        cx_awaiting++;
        enum cx_wake wake = cx_block(self, op, object, deadline_ns, caller);
        cx_awaiting--;
        awaited[self->index].over = NULL;
        cx_cancellation_point(self);
        if (wake == CX_WAKE_INTERRUPT && !(op == CX_OP_IO && self->restarts)) {
            errno = EINTR;
            return -1;
        }
    }
    return 1;
}

// Other processes of the program may be about, with which it shares memory.
static int has_relatives(void)
{
    return expects_outside || cx_family_is_child();
}

static int awaits(const struct cx_thread *thread)
{
    return thread->status == CX_THREAD_BLOCKED && awaited[thread->index].over != NULL;
}

static uint32_t wake_answered(void)
{
    uint32_t woken = cx_signal_wake_outside();
    for (uint32_t i = 0; cx_awaiting > 0 && i < cx_sched.count; i++) {
        if (awaits(&cx_sched.threads[i]) && awaited[i].over(awaited[i].argument)) {
            woken += cx_wake_all(&awaited[i], 0);
        }
    }
    return woken;
}

void cx_await_changed(void)
{
    wake_answered();
}

void cx_await_ask(const struct cx_thread *thread)
{
    if (awaits(thread)) {
        cx_wake_all(&awaited[thread->index], 0);
    }
}

int cx_await_due(void)
{
    return cx_awaiting > 0 || expects_outside || (cx_family_is_child() && cx_shared_waiters() > 0);
}

void cx_await_outside(void)
{
    expects_outside = 1;
}

void cx_await_forked(void)
{
    for (uint32_t i = 0; i < cx_sched.count; i++) {
        awaited[i].over = NULL;
    }
    cx_awaiting = 0;
    expects_outside = 0;
}

// True while the program has child processes and all of them live.
static int children_work(void)
{
    siginfo_t info = {.si_pid = 0};
    return expects_outside && cx_syscall6(SYS_waitid, P_ALL, 0, (long)&info, WEXITED | WNOHANG | WNOWAIT, 0, 0) == 0 &&
           info.si_pid == 0;
}

// For how long to wait, in real time, before time leaps by `leap_ns`. A child process has real clocks: a parent that
// looks after it now and then must not see a minute pass while the child has had some milliseconds.
static uint64_t patience_ns(uint64_t leap_ns)
{
    int working = children_work();
    uint64_t most_ns = (expects_outside ? OUTSIDE_MS : QUIET_MS) * NS_PER_MS;
    if (leap_ns == CX_NO_DEADLINE) {
        return working ? CHILD_MS * NS_PER_MS : most_ns;
    }
    if (!working) {
        return LEAP_MS * NS_PER_MS;
    }
    return leap_ns < most_ns ? leap_ns : most_ns;
}

int cx_await_leap(uint64_t leap_ns)
{
    if (wake_answered() > 0 || (has_relatives() && cx_shared_wake() > 0)) {
        return 1;
    }
    uint32_t waiters = cx_awaiting + (has_relatives() ? cx_shared_waiters() : 0);
    if (waiters > 0) {
        cx_family_part();
    }
    if (leap_ns != CX_NO_DEADLINE && !expects_outside) {
        return 0;
    }
    uint64_t end_ns = cx_clock_wall_ns() + patience_ns(leap_ns);
    while (cx_clock_wall_ns() < end_ns && (waiters > 0 || children_work())) {
        struct timespec pause = {.tv_nsec = (long)NS_PER_MS};
        cx_syscall3(SYS_nanosleep, (long)&pause, 0, 0);
        if (wake_answered() > 0 || (has_relatives() && cx_shared_wake() > 0)) {
            expects_outside = 1;
            cx_say_uncontrolled("what came from outside the program");
            return 1;
        }
    }
    return 0;
}
