// SPDX-License-Identifier: Apache-2.0
//
// strategy_replay: follow a plan of deviations; the default order everywhere else.
//
// Strict (CX_MODE_STRICT): a deviation that names a thread which cannot run, or meets another operation or object than
// was recorded, ends the run as diverged, at the first step that differs. Lenient (shrinking): such an entry is
// counted and passed over, and the run goes on in the default order. A run that passes with entries left over has not
// followed its schedule either.
#include "harness/sched/sched.h"

#include <stddef.h>
#include <stdio.h>

// First entry from `from` on that is of this kind and thread; plan_count if there is none. Entries of one thread are in
// ascending order of points, as they were recorded. Nothing is sorted or allocated here: a replay must leave the heap
// as an exploring run leaves it.
static uint32_t entry_from(uint32_t from, uint8_t kind, uint32_t key)
{
    const struct cx_deviation *plan = cx_sched.channel->plan;
    uint32_t count = cx_sched.channel->request.plan_count;
    while (from < count && (plan[from].kind != kind || plan[from].thread != key)) {
        from++;
    }
    return from;
}

static const struct cx_deviation *plan_at(uint32_t i)
{
    return i < cx_sched.channel->request.plan_count ? &cx_sched.channel->plan[i] : NULL;
}

static void replay_begin(void)
{
    cx_sched.plan_met = 0;
}

// The request puts this thread off.
static int is_late(const struct cx_thread *thread)
{
    const struct cx_request *request = &cx_sched.channel->request;
    for (uint32_t i = 0; i < request->late_count && i < CX_LATE_MAX; i++) {
        if (request->late[i] == thread->key) {
            return 1;
        }
    }
    return 0;
}

// The default order's answer, or who comes after it, if that one is put off and another can run.
static struct cx_thread *on_time(struct cx_thread *self, struct cx_thread *fallback)
{
    if (!is_late(fallback)) {
        return fallback;
    }
    uint32_t count = 0;
    struct cx_thread **others = cx_others(self, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (!is_late(others[i])) {
            return others[i];
        }
    }
    return self->status == CX_THREAD_RUNNABLE && !is_late(self) ? self : fallback;
}

static void replay_thread_created(struct cx_thread *thread)
{
    thread->plan_next = entry_from(0, CX_DEVIATION_SWITCH, thread->key);
    thread->plan_pick_next = entry_from(0, CX_DEVIATION_PICK, thread->key);
}

static void next_switch(struct cx_thread *self)
{
    cx_sched.plan_met++;
    self->plan_next = entry_from(self->plan_next + 1, CX_DEVIATION_SWITCH, self->key);
}

static void next_pick(struct cx_thread *self)
{
    cx_sched.plan_met++;
    self->plan_pick_next = entry_from(self->plan_pick_next + 1, CX_DEVIATION_PICK, self->key);
}

static int strict(void)
{
    return (cx_sched.channel->request.mode & CX_MODE_STRICT) != 0;
}

static void cannot_follow(struct cx_thread *self, const struct cx_deviation *entry, const char *why)
{
    if (strict()) {
        cx_finish_diverged(self, entry, why);
    }
    cx_sched.channel->result.deviations_ignored++;
}

static uint64_t replay_distance(const struct cx_thread *self)
{
    const struct cx_deviation *entry = plan_at(self->plan_next);
    if (entry == NULL) {
        return UINT64_MAX;
    }
    return entry->point > self->points ? entry->point - self->points : 1;
}

// What the plan says for this very point: a thread, or NULL.
static struct cx_thread *planned(struct cx_thread *self)
{
    const struct cx_deviation *entry = plan_at(self->plan_next);
    while (entry != NULL && entry->point < self->points) {
        cannot_follow(self, entry, "the schedule has a switch at a point where none can be made");
        next_switch(self);
        entry = plan_at(self->plan_next);
    }
    if (entry == NULL || entry->point != self->points) {
        return NULL;
    }
    next_switch(self);
    if (strict() && (entry->op != self->op || entry->object != (uint64_t)(uintptr_t)self->object)) {
        cannot_follow(self, entry, "the thread is at another operation than the schedule recorded");
    }
    struct cx_thread *next = cx_thread_by_key(entry->choice);
    if (next == NULL) {
        cannot_follow(self, entry, "the thread that the schedule names does not exist");
        return NULL;
    }
    int can_run = next->status == CX_THREAD_RUNNABLE || cx_may_wake(next) ||
                  (next->status == CX_THREAD_BLOCKED && next->deadline_ns != CX_NO_DEADLINE);
    if (!can_run || is_late(next)) {
        cannot_follow(self, entry, "the thread that the schedule names cannot run");
        return NULL;
    }
    return next;
}

static struct cx_thread *replay_at_point(struct cx_thread *self)
{
    struct cx_thread *next = planned(self);
    return next != NULL ? next : self;
}

static struct cx_thread *replay_at_switch(struct cx_thread *self, struct cx_thread *fallback)
{
    struct cx_thread *next = planned(self);
    return next != NULL ? next : on_time(self, fallback);
}

static uint32_t replay_pick(struct cx_thread *self, uint32_t n)
{
    const struct cx_deviation *entry = plan_at(self->plan_pick_next);
    while (entry != NULL && entry->point < self->picks) {
        cannot_follow(self, entry, "the schedule has a number where none is chosen");
        next_pick(self);
        entry = plan_at(self->plan_pick_next);
    }
    if (entry == NULL || entry->point != self->picks) {
        return 0;
    }
    next_pick(self);
    if (entry->choice >= n) {
        cannot_follow(self, entry, "the schedule chooses a number out of range");
        return 0;
    }
    return entry->choice;
}

static int is_left_over(const struct cx_deviation *entry, uint32_t at)
{
    const struct cx_thread *thread = cx_thread_by_key(entry->thread);
    return thread == NULL || at >= (entry->kind == CX_DEVIATION_PICK ? thread->plan_pick_next : thread->plan_next);
}

void cx_replay_end(struct cx_result *result)
{
    uint32_t count = cx_sched.channel->request.plan_count;
    if (cx_sched.plan_met == count) {
        return;
    }
    result->deviations_ignored += count - cx_sched.plan_met;
    if (!strict() || result->outcome != CX_OUTCOME_PASS) {
        return;
    }
    uint32_t at = 0;
    while (at + 1 < count && !is_left_over(plan_at(at), at)) {
        at++;
    }
    result->outcome = CX_OUTCOME_DIVERGED;
    result->diverged_step = cx_sched.steps;
    result->diverged_expected = *plan_at(at);
    snprintf(result->message, sizeof(result->message), "the run ended before the schedule did");
}

const struct cx_strategy cx_strategy_replay = {
    .begin = replay_begin,
    .thread_created = replay_thread_created,
    .distance = replay_distance,
    .at_point = replay_at_point,
    .at_switch = replay_at_switch,
    .pick = replay_pick,
};
