// SPDX-License-Identifier: Apache-2.0
//
// crash: the ends of a run that nobody asked for: fatal signals, abort(), a failed assert(), and the real-time
// watchdog. Handlers are installed past ThreadSanitizer, which would defer them to its own interceptors.
#include "harness/detect/blocked.h"
#include "harness/detect/native_threads.h"
#include "harness/detect/stack.h"
#include "harness/detect/tasks.h"
#include "harness/detect/unwind.h"
#include "harness/detect/watch.h"
#include "harness/host/run.h"
#include "harness/interpose/family.h"
#include "harness/interpose/real.h"
#include "harness/sched/again.h"
#include "harness/sched/futex.h"
#include "harness/sched/sched.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

// A thread that has overflowed its stack must still be able to say so. Untouched pages cost nothing.
#define ALT_STACK_BYTES 32768
static _Alignas(16) char alt_stacks[CX_THREADS_MAX][ALT_STACK_BYTES];
CX_LARGE(alt_stacks, NULL);

#define WATCHDOG 64 // the last real-time signal: SIGALRM is the program's

static const int fatal_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};

static uint64_t slice_ns; // const after init
static int timer_id;      // const after init: the kernel's number of the watchdog
static uint32_t slices;   // atomic: of the real-time bound that have passed

// The function that has failed has often no frame of its own: where ThreadSanitizer looks up a pointer to nowhere, or
// in libc. The chain of frame pointers leaves out its caller, who gave it the pointer. The tables know; but where the
// stack is overwritten they lead anywhere, even into another fault, and then the chain has to do. `again`: they did.
static void fault_stack(struct cx_stack *stack, const ucontext_t *where, int again)
{
    stack->count = 0;
    if (!again) {
        cx_unwind_interrupted(stack, where);
    }
    if (stack->count < 2) {
        cx_stack_walk(stack, (uint64_t)where->uc_mcontext.gregs[REG_RIP],
                      (const void *)(uintptr_t)where->uc_mcontext.gregs[REG_RBP]);
    }
}

static void on_fatal(int number, siginfo_t *info, void *context)
{
    static const ucontext_t *first; // of the thread that ends the run: where it failed
    if (cx_watch_took(number, context)) {
        return;
    }
    struct cx_result *result = &cx_sched.channel->result;
    int again = first != NULL && cx_finish_begun() && result->outcome == CX_OUTCOME_PASS;
    if (!again) {
        cx_finish_claim();
        first = context;
        result->signal = number;
        result->fault_address = (uint64_t)(uintptr_t)info->si_addr;
    }
    struct cx_stack stack;
    fault_stack(&stack, first, again);
    const char *name = sigabbrev_np((int)result->signal);
    cx_finish_with(CX_OUTCOME_CRASH, name != NULL ? name : "signal", "", &stack);
}

// One more slice has passed. It does not count if the run has spent half of it waiting for a processor: then it is the
// machine that is slow. That has an end, too.
static int time_is_left(void)
{
    static uint64_t delay_ns; // slices follow each other
    static uint32_t forgiven; // likewise
    if (__atomic_load_n(&slices, __ATOMIC_RELAXED) >= CX_WALL_SLICES) {
        return 0;
    }
    uint64_t before_ns = delay_ns;
    delay_ns = cx_tasks_delay_ns();
    if (delay_ns > before_ns + slice_ns / 2 && forgiven < CX_WALL_SLICES * CX_WALL_PATIENCE) {
        forgiven++;
        return 1;
    }
    return __atomic_add_fetch(&slices, 1, __ATOMIC_RELAXED) < CX_WALL_SLICES;
}

static void on_alarm(int number, siginfo_t *info, void *context)
{
    (void)info;
    const ucontext_t *where = context;
    const struct cx_thread *running = cx_sched.current;
    static uint32_t late; // slices follow each other: some of them for a run that is about to end
    // Threads without control are asked one after the other, and each may take its time to answer.
    const uint32_t late_max = running != NULL ? 1 : CX_WALL_SLICES;
    // Who waited here for another one to end the run would get the next slice on top, until its stack ends.
    if (cx_family_waits() || cx_finish_elsewhere() || time_is_left() || (cx_finish_begun() && late++ < late_max)) {
        return;
    }
    if (running != NULL && cx_self != running) {
        // The kernel chose some thread of the process; the one that matters is the one that runs.
        long pid = cx_syscall3(SYS_getpid, 0, 0, 0);
        if (cx_syscall3(SYS_tgkill, pid, running->tid, number) == 0) {
            return;
        }
    }
    cx_finish_claim();
    if (running == NULL) {
        cx_native_threads(context);
    } else {
        cx_say_blocked(where);
    }
    cx_finish_at(CX_OUTCOME_HANG, "nothing ended within the real-time limit", "",
                 (uint64_t)where->uc_mcontext.gregs[REG_RIP],
                 (const void *)(uintptr_t)where->uc_mcontext.gregs[REG_RBP]);
}

void cx_crash_thread_init(unsigned index)
{
    stack_t stack = {.ss_sp = alt_stacks[index], .ss_size = ALT_STACK_BYTES};
    cx_syscall3(SYS_sigaltstack, (long)&stack, 0, 0);
}

void cx_crash_pause(void)
{
    const struct itimerspec none = {.it_value = {0, 0}};
    cx_syscall6(SYS_timer_settime, timer_id, 0, (long)&none, 0, 0, 0);
}

void cx_crash_resume(void)
{
    const struct timespec slice = {.tv_sec = (time_t)(slice_ns / 1000000000), .tv_nsec = (long)(slice_ns % 1000000000)};
    const struct itimerspec timer = {.it_value = slice, .it_interval = slice};
    cx_syscall6(SYS_timer_settime, timer_id, 0, (long)&timer, 0, 0, 0);
}

void cx_crash_rearm(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = WATCHDOG};
    cx_syscall3(SYS_timer_create, CLOCK_MONOTONIC, (long)&event, (long)&timer_id);
    cx_crash_resume();
}

void cx_crash_install(uint32_t wall_ms)
{
    int (*real_sigaction)(int, const struct sigaction *, struct sigaction *) = cx_real_libc("sigaction");
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    action.sa_sigaction = on_fatal;
    for (size_t i = 0; i < sizeof(fatal_signals) / sizeof(fatal_signals[0]); i++) {
        real_sigaction(fatal_signals[i], &action, NULL);
    }
    action.sa_flags |= SA_RESTART;
    action.sa_sigaction = on_alarm;
    real_sigaction(WATCHDOG, &action, NULL);
    slice_ns = (wall_ms / CX_WALL_SLICES + 1) * 1000000ULL;
    cx_crash_rearm();
}

void cx_crash_uninstall(void)
{
    int (*real_sigaction)(int, const struct sigaction *, struct sigaction *) = cx_real_libc("sigaction");
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (size_t i = 0; i < sizeof(fatal_signals) / sizeof(fatal_signals[0]); i++) {
        if (!cx_watch_keeps(fatal_signals[i])) {
            real_sigaction(fatal_signals[i], &action, NULL);
        }
    }
    cx_syscall3(SYS_timer_delete, timer_id, 0, 0); // a forked process has none, and is told so
    real_sigaction(WATCHDOG, &action, NULL);
}

// libc's own, for a process that plays nothing.
static void abort_for_real(void)
{
    void (*real_abort)(void) = cx_real_libc("abort");
    real_abort();
    cx_leave(3);
}

void abort(void)
{
    if (!cx_playing) {
        abort_for_real();
    }
    cx_finish_claim();
    cx_sched.channel->result.signal = SIGABRT;
    cx_finish(CX_OUTCOME_CRASH, "ABRT", "");
}

void __assert_fail(const char *expression, const char *file, unsigned line, const char *function)
{
    fprintf(stderr, "%s:%u: %s: Assertion `%s' failed.\n", file, line, function, expression);
    if (!cx_playing) {
        abort_for_real();
    }
    cx_finish_claim();
    char location[200];
    snprintf(location, sizeof(location), "%s:%u: %s", file, line, function);
    cx_sched.channel->result.signal = SIGABRT;
    cx_finish(CX_OUTCOME_ASSERT, expression, location);
}
