// SPDX-License-Identifier: Apache-2.0
//
// finish: the end of a run. Whoever notices it (the main thread, a failed check, a signal handler, the scheduler)
// writes down where every thread is and leaves the process without running anything else: atexit handlers, destructors
// and other threads have no say in a run that is over.
#include "harness/detect/edges.h"
#include "harness/detect/stack.h"
#include "harness/interpose/clock.h"
#include "harness/interpose/family.h"
#include "harness/interpose/interpose.h"
#include "harness/sched/futex.h"
#include "harness/sched/sched.h"

#include <stdio.h>
#include <stddef.h>
#include <string.h>

// Overridden by a host that knows more (harness/host/host.h).
__attribute__((weak)) void cx_host_describe_wait(struct cx_thread *thread, char *out, size_t out_bytes,
                                                 uint32_t *holder_key)
{
    (void)thread;
    (void)out;
    (void)out_bytes;
    (void)holder_key;
}

// Overridden where edges are counted (harness/detect/edges.c).
__attribute__((weak)) void cx_edges_take(struct cx_channel *channel)
{
    (void)channel;
}

void cx_leave(int status)
{
    for (;;) {
        cx_syscall3(SYS_exit_group, status, 0, 0);
    }
}

static int32_t finisher; // atomic: the kernel's id of the thread that ends the run, 0 for none yet

// The end of the run failed itself: a program that is broken can break what describes it. What is known stands.
__attribute__((noreturn)) static void end_broken(void)
{
    static const char text[] = "the description of how the run ended: making it failed, and some of it is missing";
    struct cx_result *result = &cx_sched.channel->result;
    if (cx_outcome_is_finding((enum cx_outcome)result->outcome)) {
        cx_say_uncontrolled(text);
    } else {
        result->outcome = CX_OUTCOME_ERROR;
        snprintf(result->message, sizeof(result->message), "%s", text);
    }
    result->end_ns = cx_clock_wall_ns();
    result->complete = 1;
    cx_leave(0);
}

// In a native run several threads can fail at once: the first one speaks, the others wait here for its end.
// Returns 1 if the caller has spoken before.
static int claim(void)
{
    int32_t self = (int32_t)cx_syscall3(SYS_gettid, 0, 0, 0);
    int32_t first = 0;
    if (__atomic_compare_exchange_n(&finisher, &first, self, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        return 0;
    }
    while (first != self) {
        cx_syscall3(SYS_pause, 0, 0, 0);
    }
    return 1;
}

void cx_finish_claim(void)
{
    if (claim()) {
        end_broken();
    }
}

int cx_finish_begun(void)
{
    return __atomic_load_n(&finisher, __ATOMIC_ACQUIRE) == (int32_t)cx_syscall3(SYS_gettid, 0, 0, 0);
}

int cx_finish_elsewhere(void)
{
    return __atomic_load_n(&finisher, __ATOMIC_ACQUIRE) != 0 && !cx_finish_begun();
}

static uint32_t holder_of(const struct cx_thread *thread)
{
    if (thread->op == CX_OP_THREAD_JOIN) {
        return ((const struct cx_thread *)thread->wait_object)->key;
    }
    if (thread->op == CX_OP_ACTORS) {
        for (uint32_t i = 1; i < cx_sched.count; i++) {
            uint8_t status = cx_sched.threads[i].status;
            if (status != CX_THREAD_EXITED && status != CX_THREAD_PARKED) {
                return cx_sched.threads[i].key;
            }
        }
        return 0;
    }
    const struct cx_thread *owner = cx_lock_owner(thread->wait_object);
    return owner != NULL ? owner->key : 0;
}

static void report_thread(struct cx_thread_report *report, struct cx_thread *thread)
{
    int current = thread == cx_sched.current;
    memset(report, 0, offsetof(struct cx_thread_report, stack));
    report->stack.count = 0;
    report->key = thread->key;
    report->status = thread->status;
    report->op = thread->op;
    report->current = (uint8_t)current;
    report->object = (uint64_t)(uintptr_t)thread->object;
    report->points = thread->points;
    memcpy(report->path, thread->path, sizeof(report->path));
    memcpy(report->name, thread->name, sizeof(report->name));
    if (thread->status == CX_THREAD_BLOCKED) {
        report->timed = thread->deadline_ns != CX_NO_DEADLINE;
        report->expiries = thread->expiries;
        report->holder = holder_of(thread);
        cx_host_describe_wait(thread, report->waits_for, sizeof(report->waits_for), &report->holder);
    }
    if (!current && thread->frame != NULL && thread->status != CX_THREAD_EXITED) {
        cx_stack_walk(&report->stack, 0, thread->frame);
    }
}

void cx_finish_sum(struct cx_result *result)
{
    cx_sched_settle();
    result->steps = cx_sched.steps;
    result->choices = cx_sched.choices;
    result->switches = cx_sched.switches;
    result->preemptions = cx_sched.preemptions;
    result->fingerprint = cx_sched.fingerprint;
    result->threads_count = cx_sched.count;
    result->threads_parked = 0;
    for (uint32_t i = 0; i < cx_sched.count; i++) {
        const struct cx_thread *thread = &cx_sched.threads[i];
        result->threads_parked += thread->status == CX_THREAD_PARKED;
        if (i > 0 && thread->points > result->points_max) {
            result->points_max = thread->points;
        }
    }
    if (cx_sched.current != NULL) {
        result->time_ns = cx_now_ns();
    }
}

// All that is known of every run, whatever its end.
static void sum_up(const char *message, const char *location, const struct cx_stack *stack)
{
    struct cx_result *result = &cx_sched.channel->result;
    cx_finish_sum(result);
    result->stack = *stack;
    snprintf(result->message, sizeof(result->message), "%s", message);
    snprintf(result->location, sizeof(result->location), "%s", location);
    if (cx_sched.channel->request.strategy == CX_STRATEGY_REPLAY) {
        cx_replay_end(result);
    }
    cx_edges_take(cx_sched.channel);
    result->end_ns = cx_clock_wall_ns();
}

void cx_finish_executes(void)
{
    struct cx_stack stack;
    cx_stack_walk(&stack, 0, __builtin_frame_address(0));
    sum_up("", "", &stack);
    cx_sched.channel->result.executed = 1;
}

static void finish(const char *message, const char *location, const struct cx_stack *stack)
{
    struct cx_result *result = &cx_sched.channel->result;
    while (cx_family_parted()) { // for its parent, a process that does not go on
        cx_syscall3(SYS_pause, 0, 0, 0);
    }
    sum_up(message, location, stack);
    uint32_t count = cx_sched.count < CX_THREADS_REPORT_MAX ? cx_sched.count : CX_THREADS_REPORT_MAX;
    // A run that passed is one of thousands: its threads are described only where somebody will read it.
    if (result->outcome == CX_OUTCOME_PASS && result->races_count == 0 &&
        (cx_sched.channel->request.mode == CX_MODE_TRACE ||
         (cx_sched.channel->request.mode == 0 && cx_sched.channel->request.strategy != CX_STRATEGY_REPLAY))) {
        count = 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        report_thread(&result->threads[i], &cx_sched.threads[i]);
        if (&cx_sched.threads[i] == cx_sched.current) {
            result->threads[i].stack = *stack;
        }
        result->reports_count = i + 1;
    }
    result->complete = 1;
    cx_leave(0);
}

void cx_finish(enum cx_outcome outcome, const char *message, const char *location)
{
    struct cx_stack stack;
    if (outcome == CX_OUTCOME_PASS && cx_family_is_child()) {
        cx_family_leave(0);
    }
    claim();
    cx_sched.channel->result.outcome = outcome;
    cx_stack_walk(&stack, 0, __builtin_frame_address(0));
    finish(message, location, &stack);
    cx_leave(0);
}

void cx_finish_at(enum cx_outcome outcome, const char *message, const char *location, uint64_t pc, const void *frame)
{
    struct cx_stack stack;
    claim();
    cx_sched.channel->result.outcome = outcome;
    cx_stack_walk(&stack, pc, frame);
    finish(message, location, &stack);
    cx_leave(0);
}

void cx_finish_with(enum cx_outcome outcome, const char *message, const char *location, const struct cx_stack *stack)
{
    claim();
    cx_sched.channel->result.outcome = outcome;
    finish(message, location, stack);
    cx_leave(0);
}

void cx_finish_deadlock(const char *message)
{
    cx_finish(CX_OUTCOME_DEADLOCK, message, "");
}

void cx_finish_livelock(const char *message)
{
    struct cx_result *result = &cx_sched.channel->result;
    result->cycle_count = 0;
    for (uint32_t i = 0; i < cx_sched.count && result->cycle_count < 64; i++) {
        const struct cx_thread *thread = &cx_sched.threads[i];
        if (thread->status == CX_THREAD_RUNNABLE) {
            result->cycle[result->cycle_count++] = (struct cx_step){
                .point = thread->points,
                .object = (uint64_t)(uintptr_t)thread->object,
                .thread = thread->key,
                .op = thread->op,
                .caller = (uint64_t)(uintptr_t)thread->caller,
            };
        }
    }
    cx_finish(CX_OUTCOME_LIVELOCK, message, "");
}

void cx_finish_diverged(struct cx_thread *self, const struct cx_deviation *expected, const char *message)
{
    struct cx_result *result = &cx_sched.channel->result;
    result->diverged_step = cx_sched.steps;
    result->diverged_expected = *expected;
    result->diverged_found = (struct cx_deviation){
        .point = self->points,
        .object = (uint64_t)(uintptr_t)self->object,
        .thread = self->key,
        .choice = self->key,
        .kind = expected->kind,
        .op = self->op,
    };
    cx_finish(CX_OUTCOME_DIVERGED, message, "");
}
