// SPDX-License-Identifier: Apache-2.0
//
// strategy_pos: partial order sampling (Yuan, Yang and Gu, "Partial order aware concurrency sampling", CAV 2018).
//
// Every pending operation has a random priority, and the highest runs. Once it has run, the pending operations that
// conflict with it (same object, not both reads) draw anew. So the order of any two conflicting operations is drawn for
// that pair, instead of following from an order of threads.
//
// Where ours differs: a priority is a function of the seed, the thread and how many it has drawn, not of a stream, so
// that one of them can be replaced and all others stay (`plan`; exec/feedback.c mutates runs that way); in most runs
// points that no other thread can tell from the next are passed over, and threads start at once; a thread that yields
// or spins waits for one turn of somebody else; timed waits may end early where a thread is chosen.
#include "harness/sched/again.h"
#include "harness/sched/sched.h"

#include <stddef.h>
#include <string.h>

#define RECENT (1u << 12)

static struct {
    uint64_t priority;  // scheduler token
    const void *object; // scheduler token: what it is about to do, or does
    uint64_t bytes;     // scheduler token: of it
    uint32_t draws;     // scheduler token
    uint8_t op;         // scheduler token
} pending[CX_THREADS_MAX];

// Who came to an object last: pairs of operations are what exec/feedback.c counts as new.
static struct {
    const void *object; // scheduler token
    const void *caller; // scheduler token
    uint32_t thread;    // scheduler token
} recent[RECENT];
static uint16_t recent_used[RECENT]; // scheduler token: entries that hold something
static uint32_t recent_count;        // scheduler token

static void forget(void)
{
    memset(pending, 0, cx_sched.count * sizeof(pending[0]));
    while (recent_count > 0) {
        memset(&recent[recent_used[--recent_count]], 0, sizeof(recent[0]));
    }
}
CX_LARGE(pending, forget);
CX_LARGE(recent, NULL);
CX_LARGE(recent_used, NULL);

static uint64_t seed; // const after begin
static int fine;      // const after begin

static void pos_begin(void)
{
    seed = cx_prng_next(&cx_sched.prng);
    fine = cx_draw_fine();
}

static void draw(const struct cx_thread *thread)
{
    uint32_t drawn = ++pending[thread->index].draws;
    uint64_t from = seed;
    const struct cx_deviation *plan = cx_sched.channel->plan + cx_sched.channel->request.plan_first;
    for (uint32_t i = 0; i < cx_sched.channel->request.plan_count; i++) {
        if (plan[i].kind == CX_DEVIATION_PRIORITY && plan[i].thread == thread->key && plan[i].point == drawn) {
            from = plan[i].object;
        }
    }
    pending[thread->index].priority = cx_prng_mix(from + (((uint64_t)thread->key << 32) | drawn) + 1);
}

static void pos_thread_created(struct cx_thread *thread)
{
    draw(thread);
}

static void note_conflict(const struct cx_thread *self)
{
    uint32_t at = (uint32_t)cx_prng_mix((uint64_t)(uintptr_t)self->object) % RECENT;
    if (recent[at].object == self->object && recent[at].thread != self->index) {
        cx_record_conflict(recent[at].caller, self->caller);
    }
    if (recent[at].caller == NULL) {
        recent_used[recent_count++] = (uint16_t)at;
    }
    recent[at].object = self->object;
    recent[at].caller = self->caller;
    recent[at].thread = self->index;
}

// What `self` did since it was here last is done: whoever conflicts with it draws anew.
static struct cx_thread **executed(const struct cx_thread *self, uint32_t *count)
{
    struct cx_thread **others = cx_others(self, count);
    uint8_t op = pending[self->index].op;
    const void *object = pending[self->index].object;
    uint64_t bytes = pending[self->index].bytes;
    for (uint32_t i = 0; object != NULL && i < *count; i++) {
        uint32_t other = others[i]->index;
        if (cx_overlapping(pending[other].object, pending[other].bytes, object, bytes) &&
            cx_conflicting(pending[other].op, op)) {
            draw(others[i]);
        }
    }
    pending[self->index].op = self->op;
    pending[self->index].object = self->object;
    pending[self->index].bytes = self->bytes;
    return others;
}

// `best` may be NULL.
static struct cx_thread *highest_of(struct cx_thread *best, struct cx_thread **others, uint32_t count)
{
    struct cx_thread *fresh = cx_not_begun(others, count, fine);
    if (fresh != NULL) {
        return fresh;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (best == NULL || pending[others[i]->index].priority > pending[best->index].priority) {
            best = others[i];
        }
    }
    return best;
}

static struct cx_thread *pos_at_point(struct cx_thread *self)
{
    uint32_t count = 0;
    struct cx_thread **others = executed(self, &count);
    if (!cx_matters(self->op, fine)) {
        return self;
    }
    draw(self);
    note_conflict(self);
    cx_sites_pass(self);
    struct cx_thread *best = highest_of(self, others, count);
    struct cx_thread *expiring = best != self || count == 0 ? cx_choose_expiry(self) : NULL;
    return expiring != NULL ? expiring : best;
}

static struct cx_thread *pos_at_switch(struct cx_thread *self, struct cx_thread *fallback)
{
    struct cx_thread *expiring = cx_choose_expiry(self);
    uint32_t count = 0;
    struct cx_thread *best = highest_of(NULL, executed(self, &count), count);
    draw(self);
    if (expiring != NULL) {
        return expiring;
    }
    return best != NULL ? best : fallback;
}

const struct cx_strategy cx_strategy_pos = {
    .begin = pos_begin,
    .thread_created = pos_thread_created,
    .distance = cx_distance_choice,
    .at_point = pos_at_point,
    .at_switch = pos_at_switch,
    .pick = cx_pick_evenly,
};
