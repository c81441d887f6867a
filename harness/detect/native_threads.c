// SPDX-License-Identifier: Apache-2.0
//
// native_threads: where the threads of an uncontrolled run are when it hangs. Nobody but the kernel knows them: each
// task of the process gets a signal, one after the other, and its handler walks its own stack. A thread that does not
// answer is left out. It was interrupted in libc, most likely, which has no frame pointers: so these stacks are walked
// by the tables for exceptions, which is not safe in every signal handler; the process is about to be left.
#include "harness/detect/native_threads.h"

#include "harness/detect/tasks.h"
#include "harness/detect/unwind.h"
#include "harness/host/run.h"
#include "harness/interpose/real.h"
#include "harness/sched/futex.h"
#include "harness/sched/sched.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

#define ANSWER_SIGNAL SIGURG // ignored by default, and nobody's
#define ANSWER_NS 200000000  // 0.2 s

// Overridden where there are actors (harness/host/play.c).
__attribute__((weak)) void cx_actor_name(char *out, size_t out_bytes)
{
    if (out_bytes > 0) {
        out[0] = '\0';
    }
}

static uint32_t answered; // atomic: futex word, 1 once the thread that was asked has written its report

static void describe_self(struct cx_thread_report *report, const ucontext_t *where)
{
    report->status = CX_THREAD_UNCONTROLLED;
    cx_actor_name(report->name, sizeof(report->name));
    cx_unwind_interrupted(&report->stack, where);
}

static void on_question(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    struct cx_result *result = &cx_sched.channel->result;
    describe_self(&result->threads[result->reports_count], context);
    __atomic_store_n(&answered, 1, __ATOMIC_RELEASE);
    cx_futex_wake(&answered);
}

static int ask(long pid, long tid)
{
    const struct timespec patience = {.tv_nsec = ANSWER_NS};
    __atomic_store_n(&answered, 0, __ATOMIC_RELAXED);
    if (cx_syscall3(SYS_tgkill, pid, tid, ANSWER_SIGNAL) != 0) {
        return 0;
    }
    if (__atomic_load_n(&answered, __ATOMIC_ACQUIRE) == 0) {
        cx_syscall6(SYS_futex, (long)&answered, FUTEX_WAIT_PRIVATE, 0, (long)&patience, 0, 0);
    }
    return (int)__atomic_load_n(&answered, __ATOMIC_ACQUIRE);
}

// A fresh report at the end of the list. Its key is the place in it: there are no keys without control.
static struct cx_thread_report *report_begin(struct cx_result *result, long pid, long tid)
{
    struct cx_thread_report *report = &result->threads[result->reports_count];
    memset(report, 0, offsetof(struct cx_thread_report, stack));
    report->stack.count = 0;
    report->key = result->reports_count + 1;
    if (tid == pid) {
        snprintf(report->path, sizeof(report->path), "main");
    } else {
        snprintf(report->path, sizeof(report->path), "main.%u", result->reports_count);
    }
    return report;
}

static void visit(long tid, void *where)
{
    struct cx_result *result = &cx_sched.channel->result;
    long pid = cx_syscall3(SYS_getpid, 0, 0, 0);
    if (result->reports_count == CX_THREADS_REPORT_MAX) {
        return;
    }
    struct cx_thread_report *report = report_begin(result, pid, tid);
    if (tid == cx_syscall3(SYS_gettid, 0, 0, 0)) {
        report->current = 1;
        describe_self(report, where);
        result->reports_count++;
    } else if (ask(pid, tid)) {
        result->reports_count++;
    }
}

void cx_native_threads(void *context)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART, .sa_sigaction = on_question};
    int (*real_sigaction)(int, const struct sigaction *, struct sigaction *) = cx_real_libc("sigaction");
    real_sigaction(ANSWER_SIGNAL, &action, NULL);
    cx_tasks_each(visit, context);
}
