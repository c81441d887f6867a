// SPDX-License-Identifier: Apache-2.0
//
// signal: handlers, masks, and the moment at which a signal reaches its thread.
//
// The kernel keeps handlers and masks, as ever; only the moment is ours. A signal for a thread that blocks it goes to
// the kernel at once and waits there: nothing happens before that thread unblocks it, which is its own doing. A signal
// for a thread that would take it is kept here until that thread has the token, and then sent by the thread to itself,
// so that the handler runs at a point, as code of that thread like any other. A thread that is blocked in the scheduler
// is let go for it. Which thread of the process takes a signal that is for all of them is a choice of the schedule.
//
// What comes from outside (another process, the kernel's timers) meets our own handler first. It waits, too, for the
// next point of the thread that the kernel has chosen; which point that is, is chance, and the report says so.
#include "harness/interpose/signals.h"

#include "harness/interpose/clock.h"
#include "harness/interpose/interpose.h"
#include "harness/sched/again.h"
#include "harness/sched/futex.h"
#include "harness/sched/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUEUE_MAX 256
#define SIGNALS_MAX 65
#define KERNEL_SET_BYTES 8

static struct {
    struct cx_thread *target; // scheduler token: NULL: free
    siginfo_t info;           // scheduler token
} queue[QUEUE_MAX];           // in order of sending
static uint32_t queued;       // scheduler token
CX_LARGE(queue, NULL);

static struct {
    void (*handler)(int);                     // atomic
    void (*action)(int, siginfo_t *, void *); // atomic: if it was given with SA_SIGINFO
    int restart;                              // atomic
} handlers[SIGNALS_MAX];

int cx_signal_handled(int number)
{
    return number > 0 && number < SIGNALS_MAX && (handlers[number].handler != NULL || handlers[number].action != NULL);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    struct cx_thread *self = cx_self;
    int ours = self != NULL && cx_sched.active;
    if (ours && !self->delivering) {
        __atomic_fetch_or(&self->outside, 1ULL << (number - 1), __ATOMIC_RELAXED);
        self->stop_at = 0;
        return;
    }
    if (ours) {
        self->delivering = 0;
        self->restarts = (uint8_t)handlers[number].restart;
    }
    if (handlers[number].action != NULL) {
        handlers[number].action(number, info, context);
    } else if (handlers[number].handler != NULL) {
        handlers[number].handler(number);
    }
    if (ours) {
        self->delivering = 1;
        self->handled++;
    }
}

static void send_to_itself(struct cx_thread *self, siginfo_t *info)
{
    int error = errno;
    self->delivering = 1;
    cx_syscall6(SYS_rt_tgsigqueueinfo, cx_syscall3(SYS_getpid, 0, 0, 0), self->tid, info->si_signo, (long)info, 0, 0);
    self->delivering = 0;
    errno = error;
}

void cx_signals_deliver(struct cx_thread *self)
{
    uint64_t outside = __atomic_exchange_n(&self->outside, 0, __ATOMIC_RELAXED);
    for (int number = 1; outside != 0; number++, outside >>= 1) {
        if (outside & 1) {
            siginfo_t info = {.si_signo = number, .si_code = SI_USER};
            cx_say_uncontrolled("a signal from outside");
            send_to_itself(self, &info);
        }
    }
    for (uint32_t i = 0; self->signals > 0 && i < queued; i++) {
        if (queue[i].target == self) {
            siginfo_t info = queue[i].info;
            queued--;
            memmove(&queue[i], &queue[i + 1], (queued - i) * sizeof(queue[0]));
            self->signals--;
            i--;
            send_to_itself(self, &info);
        }
    }
}

void cx_signals_forked(void)
{
    queued = 0;
}

void cx_signal_kernel(const struct cx_thread *thread, uint64_t *pending, uint64_t *blocked)
{
    char path[64];
    char text[4096];
    *pending = 0;
    *blocked = 0;
    snprintf(path, sizeof(path), "/proc/self/task/%d/status", thread->tid);
    long fd = cx_syscall3(SYS_open, (long)path, 0, 0);
    long bytes = fd >= 0 ? cx_syscall3(SYS_read, fd, (long)text, sizeof(text) - 1) : 0;
    cx_syscall3(SYS_close, fd, 0, 0);
    text[bytes > 0 ? bytes : 0] = '\0';
    static const char *const names[] = {"\nSigPnd:", "\nShdPnd:", "\nSigBlk:"};
    for (int i = 0; i < 3; i++) {
        const char *at = strstr(text, names[i]);
        uint64_t bits = at != NULL ? strtoull(at + strlen(names[i]), NULL, 16) : 0;
        *(i < 2 ? pending : blocked) |= bits;
    }
}

static int takes(const struct cx_thread *thread, int number)
{
    uint64_t pending;
    uint64_t blocked;
    if (thread->status == CX_THREAD_EXITED) {
        return 0;
    }
    cx_signal_kernel(thread, &pending, &blocked);
    return (blocked >> (number - 1) & 1) == 0;
}

// The thread that is to take a signal for the process; NULL if all of them block it.
static struct cx_thread *choose_target(struct cx_thread *self, int number)
{
    static struct cx_thread *takers[CX_THREADS_MAX]; // scheduler token
    CX_LARGE(takers, NULL);
    uint32_t count = 0;
    for (uint32_t i = 0; i < cx_sched.count; i++) {
        if (takes(&cx_sched.threads[i], number)) {
            takers[count++] = &cx_sched.threads[i];
        }
    }
    return count > 0 ? takers[cx_pick(self, count)] : NULL;
}

// The kernel's business: nothing to handle, or blocked. It lets nobody claim to be another sender than he is.
static int send_for_real(const struct cx_thread *target, const siginfo_t *info)
{
    siginfo_t copy = *info;
    int number = info->si_signo;
    int plain = info->si_code == SI_USER || info->si_code == SI_TKILL;
    long pid = cx_syscall3(SYS_getpid, 0, 0, 0);
    long result;
    if (target != NULL) {
        result = plain ? cx_syscall3(SYS_tgkill, pid, target->tid, number)
                       : cx_syscall6(SYS_rt_tgsigqueueinfo, pid, target->tid, number, (long)&copy, 0, 0);
        cx_await_ask(target); // the descriptor of signalfd(2) shows a signal for one thread to that thread only
    } else {
        result =
            plain ? cx_syscall3(SYS_kill, pid, number, 0) : cx_syscall3(SYS_rt_sigqueueinfo, pid, number, (long)&copy);
    }
    cx_await_changed();
    return (int)-result;
}

int cx_signal_send(struct cx_thread *self, struct cx_thread *target, const siginfo_t *info)
{
    int number = info->si_signo;
    if (!cx_signal_handled(number) || queued == QUEUE_MAX) {
        return send_for_real(target, info);
    }
    struct cx_thread *taker = target != NULL ? target : choose_target(self, number);
    if (taker == NULL || !takes(taker, number)) {
        return send_for_real(target, info);
    }
    if (taker == self) {
        siginfo_t copy = *info;
        send_to_itself(self, &copy);
        return 0;
    }
    queue[queued].target = taker;
    queue[queued].info = *info;
    queued++;
    taker->signals++;
    cx_interrupt(taker);
    return 0;
}

uint32_t cx_signal_wake_outside(void)
{
    uint32_t woken = 0;
    for (uint32_t i = 0; i < cx_sched.count; i++) {
        if (__atomic_load_n(&cx_sched.threads[i].outside, __ATOMIC_RELAXED) != 0) {
            woken += (uint32_t)cx_interrupt(&cx_sched.threads[i]);
        }
    }
    return woken;
}

// Faults have to reach the program's handler where they happen, and before it, ours (harness/detect/crash.c).
static int is_fault(int number)
{
    return number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL || number == SIGABRT ||
           number == SIGTRAP || number == SIGSYS;
}

static int (*libc_sigaction(void))(int, const struct sigaction *, struct sigaction *)
{
    static int (*function)(int, const struct sigaction *, struct sigaction *); // const after init
    if (function == NULL) {
        function = (int (*)(int, const struct sigaction *, struct sigaction *))cx_real_libc("sigaction");
    }
    return function;
}

int sigaction(int number, const struct sigaction *restrict wanted, struct sigaction *restrict old)
{
    if (cx_idle || is_fault(number) || number <= 0 || number >= SIGNALS_MAX) {
        return libc_sigaction()(number, wanted, old);
    }
    struct sigaction before = {0};
    struct sigaction action = {0};
    void (*old_handler)(int) = handlers[number].handler;
    void (*old_action)(int, siginfo_t *, void *) = handlers[number].action;
    if (wanted != NULL) {
        cx_again_unfit("handlers of signals");
        int real = wanted->sa_handler == SIG_DFL || wanted->sa_handler == SIG_IGN;
        int informed = (wanted->sa_flags & SA_SIGINFO) != 0;
        action = *wanted;
        handlers[number].handler = real || informed ? NULL : wanted->sa_handler;
        handlers[number].action = real || !informed ? NULL : wanted->sa_sigaction;
        handlers[number].restart = (wanted->sa_flags & SA_RESTART) != 0;
        if (!real) {
            action.sa_sigaction = on_signal;
            action.sa_flags |= SA_SIGINFO;
        }
    }
    int result = libc_sigaction()(number, wanted != NULL ? &action : NULL, &before);
    if (before.sa_sigaction == on_signal) {
        if (old_action != NULL) {
            before.sa_sigaction = old_action;
        } else {
            before.sa_handler = old_handler;
            before.sa_flags &= ~SA_SIGINFO;
        }
    }
    if (old != NULL && result == 0) {
        *old = before;
    }
    return result;
}

__sighandler_t signal(int number, __sighandler_t handler)
{
    struct sigaction wanted = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct sigaction old;
    return sigaction(number, &wanted, &old) == 0 ? old.sa_handler : SIG_ERR;
}

int cx_signal_mask(int how, const sigset_t *set, sigset_t *old)
{
    struct cx_thread *self = cx_self;
    if (set != NULL) {
        cx_again_unfit("masks of signals");
    }
    if (self != NULL) {
        self->delivering = 1;
    }
    // libc keeps its own two signals out of every mask.
    uint64_t bits = 0;
    memcpy(&bits, set != NULL ? set : (const sigset_t *)&bits, sizeof(bits));
    bits &= ~(3ULL << 31);
    long result =
        cx_syscall6(SYS_rt_sigprocmask, how, set != NULL ? (long)&bits : 0, (long)old, KERNEL_SET_BYTES, 0, 0);
    if (self != NULL) {
        self->delivering = 0;
    }
    if (result < 0) {
        errno = (int)-result;
        return -1;
    }
    return 0;
}

int sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
    return cx_signal_mask(how, set, old);
}

int pthread_sigmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
    int before = errno;
    int error = cx_signal_mask(how, set, old) == 0 ? 0 : errno;
    errno = before;
    return error;
}
