// SPDX-License-Identifier: Apache-2.0
//
// choose: the list of strategies, and what they have in common: who could run, and when a timed wait may end early.
#include "harness/sched/sched.h"

#include <stddef.h>

static struct cx_thread *scratch[CX_THREADS_MAX]; // scheduler token

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

struct cx_thread *cx_choose_expiry(const struct cx_thread *self)
{
    if (cx_sched.timed == 0) {
        return NULL;
    }
    // Rare beside threads that can run, or every timed wait of a run would end at once; frequent where it is the only
    // other thing that can happen.
    uint32_t runnable = cx_sched.runnable - (self->status == CX_THREAD_RUNNABLE);
    if (cx_prng_below(&cx_sched.prng, runnable > 0 ? 16 : 2) != 0) {
        return NULL;
    }
    uint32_t which = (uint32_t)cx_prng_below(&cx_sched.prng, cx_sched.timed);
    for (uint32_t i = 0; i < cx_sched.count; i++) {
        struct cx_thread *thread = &cx_sched.threads[i];
        if (thread->status == CX_THREAD_BLOCKED && thread->deadline_ns != CX_NO_DEADLINE && which-- == 0) {
            return thread;
        }
    }
    return NULL;
}

const struct cx_strategy *cx_strategy_of(uint32_t kind)
{
    static const struct cx_strategy *const strategies[] = {
        [CX_STRATEGY_RANDOM] = &cx_strategy_random,
        [CX_STRATEGY_PCT] = &cx_strategy_pct,
        [CX_STRATEGY_REPLAY] = &cx_strategy_replay,
    };
    return kind < sizeof(strategies) / sizeof(strategies[0]) ? strategies[kind] : NULL;
}
