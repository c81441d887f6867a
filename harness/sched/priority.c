// SPDX-License-Identifier: Apache-2.0
//
// priority: strict priorities of threads, as pct, fresh and stops have them (strategy_*.c).
#include "harness/sched/sched.h"

#include <stddef.h>

#define FALL (1ULL << 20) // room between two priorities, for those that fall below one of the others

static uint64_t lowest;  // scheduler token: below every priority given so far
static uint64_t highest; // scheduler token: and above

void cx_ranks_begin(void)
{
    lowest = 1ULL << 62;
    highest = 1ULL << 63;
}

void cx_rank_draw(struct cx_thread *thread)
{
    thread->priority = (1ULL << 62) + 1 + (cx_prng_next(&cx_sched.prng) >> 2);
}

void cx_rank_rise(struct cx_thread *thread)
{
    highest += FALL;
    thread->priority = highest;
}

void cx_rank_fall(struct cx_thread *thread)
{
    lowest -= FALL; // below every priority for as long as fewer than 2^42 falls are made
    thread->priority = lowest;
}

void cx_rank_stop(struct cx_thread *thread)
{
    uint32_t count = 0;
    struct cx_thread **others = cx_others(thread, &count);
    if (count > 0 && cx_prng_below(&cx_sched.prng, 2) == 0) {
        const struct cx_thread *other = others[cx_prng_below(&cx_sched.prng, count)];
        thread->priority = other->priority - 1 - cx_prng_below(&cx_sched.prng, FALL / 2);
    } else {
        cx_rank_fall(thread);
    }
}

struct cx_thread *cx_rank_highest(const struct cx_thread *self, struct cx_thread *best)
{
    uint32_t count = 0;
    struct cx_thread **others = cx_others(self, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (best == NULL || others[i]->priority > best->priority) {
            best = others[i];
        }
    }
    return best;
}

struct cx_thread *cx_rank_at_switch(struct cx_thread *self, struct cx_thread *fallback)
{
    if (self->op == CX_OP_YIELD || self->op == CX_OP_SPIN) {
        cx_rank_fall(self);
    }
    struct cx_thread *expiring = cx_choose_expiry(self);
    if (expiring != NULL) {
        return expiring;
    }
    struct cx_thread *best = cx_rank_highest(self, NULL);
    return best != NULL ? best : fallback;
}
