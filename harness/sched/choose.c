// SPDX-License-Identifier: Apache-2.0
//
// choose: the list of strategies, and what they have in common: who could run, and when a timed wait may end early.
#include "harness/sched/again.h"
#include "harness/sched/sched.h"

#include <stddef.h>

static struct cx_thread *scratch[CX_THREADS_MAX]; // scheduler token
CX_LARGE(scratch, NULL);

struct cx_thread **cx_others(const struct cx_thread *self, uint32_t *count)
{
    uint32_t found = 0;
    uint32_t at = self->index;
    for (uint32_t i = 1; i < cx_sched.count; i++) {
        at = at + 1 == cx_sched.count ? 0 : at + 1;
        if (cx_sched.threads[at].status == CX_THREAD_RUNNABLE) {
            scratch[found++] = &cx_sched.threads[at];
        }
    }
    *count = found;
    return scratch;
}

struct cx_thread *cx_first_to_expire(void)
{
    for (uint32_t i = 0; i < cx_sched.count; i++) {
        struct cx_thread *thread = &cx_sched.threads[i];
        if (thread->status == CX_THREAD_BLOCKED && thread->deadline_ns == cx_sched.next_deadline_ns) {
            return thread;
        }
    }
    return NULL;
}

int cx_may_end_early(const struct cx_thread *thread)
{
    return thread->status == CX_THREAD_BLOCKED && thread->deadline_ns != CX_NO_DEADLINE &&
           thread->deadline_ns <= cx_now_ns() + cx_sched.channel->request.rules.early_ns_max;
}

// Drawn from numbers of its own, so that a program without condition variables has the same schedules either way.
static struct cx_thread *choose_waker(void)
{
    static struct cx_prng chance; // scheduler token
    if (cx_sched.wakeable == 0) {
        return NULL;
    }
    if (chance.state == 0) {
        chance.state = cx_prng_mix(cx_sched.channel->request.seed ^ 0x7370757269ULL) | 1;
    }
    if (cx_prng_below(&chance, 1000) >= cx_sched.channel->request.rules.spurious) {
        return NULL;
    }
    uint32_t which = (uint32_t)cx_prng_below(&chance, cx_sched.wakeable);
    for (uint32_t i = 0; i < cx_sched.count; i++) {
        if (cx_may_wake(&cx_sched.threads[i]) && which-- == 0) {
            return &cx_sched.threads[i];
        }
    }
    return NULL;
}

struct cx_thread *cx_choose_expiry(const struct cx_thread *self)
{
    struct cx_thread *waker = choose_waker();
    if (waker != NULL) {
        return waker;
    }
    if (cx_sched.timed == 0) {
        return NULL;
    }
    // Rare beside threads that can run, or every timed wait of a run would end at once; frequent where it is the only
    // other thing that can happen.
    uint32_t runnable = cx_sched.runnable - (self->status == CX_THREAD_RUNNABLE);
    if (cx_prng_below(&cx_sched.prng, runnable > 0 ? 16 : 2) != 0) {
        return NULL;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < cx_sched.count; i++) {
        count += (uint32_t)cx_may_end_early(&cx_sched.threads[i]);
    }
    if (count == 0) {
        return NULL;
    }
    uint32_t which = (uint32_t)cx_prng_below(&cx_sched.prng, count);
    for (uint32_t i = 0; i < cx_sched.count; i++) {
        struct cx_thread *thread = &cx_sched.threads[i];
        if (cx_may_end_early(thread) && which-- == 0) {
            return thread;
        }
    }
    return NULL;
}

void cx_sched_again(struct cx_thread *self)
{
    if (cx_sched.channel->request.strategy == CX_STRATEGY_REPLAY) {
        return;
    }
    cx_sched_settle();
    cx_sched.choices_before = cx_sched.choices;
    cx_sched.prng.state = cx_sched.channel->request.seed;
    cx_sched.strategy->begin();
    cx_sched.strategy->thread_created(self);
}

int cx_draw_fine(void)
{
    return cx_prng_below(&cx_sched.prng, 16) == 0;
}

int cx_matters(uint8_t op, int fine)
{
    static const uint8_t idle[CX_OP_COUNT] = {
        [CX_OP_AFTER] = 1,         [CX_OP_THREAD_CREATE] = 1, [CX_OP_THREAD_START] = 1, [CX_OP_MUTEX_UNLOCK] = 1,
        [CX_OP_RWLOCK_UNLOCK] = 1, [CX_OP_SPIN_UNLOCK] = 1,   [CX_OP_SEM_POST] = 1,
    };
    return fine || !idle[op];
}

struct cx_thread *cx_not_begun(struct cx_thread **others, uint32_t count, int fine)
{
    for (uint32_t i = 0; !fine && i < count; i++) {
        if (others[i]->op == CX_OP_NONE) {
            return others[i];
        }
    }
    return NULL;
}

uint64_t cx_distance_choice(const struct cx_thread *self)
{
    (void)self;
    return cx_has_choice() ? 1 : UINT64_MAX;
}

uint32_t cx_pick_evenly(struct cx_thread *self, uint32_t n)
{
    (void)self;
    return (uint32_t)cx_prng_below(&cx_sched.prng, n);
}

const struct cx_strategy *cx_strategy_of(uint32_t kind)
{
    static const struct cx_strategy *const strategies[] = {
        [CX_STRATEGY_RANDOM] = &cx_strategy_random, [CX_STRATEGY_PCT] = &cx_strategy_pct,
        [CX_STRATEGY_REPLAY] = &cx_strategy_replay, [CX_STRATEGY_POS] = &cx_strategy_pos,
        [CX_STRATEGY_URW] = &cx_strategy_urw,       [CX_STRATEGY_SURW] = &cx_strategy_surw,
        [CX_STRATEGY_DELAY] = &cx_strategy_delay,   [CX_STRATEGY_RACE] = &cx_strategy_race,
        [CX_STRATEGY_FRESH] = &cx_strategy_fresh,   [CX_STRATEGY_HOLD] = &cx_strategy_hold,
    };
    return kind < sizeof(strategies) / sizeof(strategies[0]) ? strategies[kind] : NULL;
}

// The number that the request gives for this choice; -1 where the strategy is to draw.
static int64_t given(const struct cx_thread *self, uint32_t n)
{
    const struct cx_channel *channel = cx_sched.channel;
    if (self->picks > channel->request.given || self->key != CX_THREAD_KEY_MAIN) {
        return -1;
    }
    for (uint32_t i = 0; i < channel->request.plan_count; i++) {
        const struct cx_deviation *entry = &channel->plan[i];
        if (entry->kind == CX_DEVIATION_PICK && entry->thread == self->key && entry->point == self->picks) {
            return entry->choice < n ? (int64_t)entry->choice : 0;
        }
    }
    return 0;
}

uint32_t cx_pick(struct cx_thread *self, uint32_t n)
{
    if (n <= 1) {
        return 0;
    }
    self->picks++;
    int64_t number = given(self, n);
    uint32_t choice = number >= 0 ? (uint32_t)number : cx_sched.strategy->pick(self, n);
    cx_record_choice(self, CX_CHOICE_PICK, choice, n);
    if (choice != 0) {
        cx_record_deviation(self, CX_DEVIATION_PICK, choice, 0);
    }
    cx_sched.fingerprint = cx_prng_mix(cx_sched.fingerprint + choice + ((uint64_t)n << 32));
    return choice;
}
