// SPDX-License-Identifier: Apache-2.0
//
// strategy_fresh: hand-offs that no run before had. After Yu, Narayanasamy, Pereira and Pokam, "Maple: a
// coverage-driven testing tool for multithreaded programs" (OOPSLA 2012), and Wolff, Shi, Duck, Mathur and
// Roychoudhury, "Greybox fuzzing for concurrency testing" (ASPLOS 2024): what was never tested is brought about, and
// does not have to come by chance.
//
// Where a thread is at one operation, another one that could go on stands before a second, and no hand-off has joined
// these two, in this run or in those that the run is told about, one may come, with the probability of the segment's
// rate: the other one rises above all, and who is left falls. Elsewhere threads have strict priorities, as in pct
// (strategy_pct.c), without change points.
//
// Where ours differs: there is no search for one given pair, and no second run for it; all that is known comes with the
// input (`told` of the channel), so that an input means the same whatever was played before it.
#include "harness/sched/again.h"
#include "harness/sched/sched.h"

#include <stddef.h>

static struct cx_told known; // scheduler token: what was joined in this run is known, too
CX_LARGE(known, NULL);
static uint64_t one_in; // const until a segment begins: of so many that would be new, one comes

static void fresh_begin(void)
{
    known = cx_sched.channel->told;
    one_in = 1ULL << cx_sched.rate;
    cx_ranks_begin();
}

// One of those to whom a hand-off would be new; NULL if there is none, or none comes.
static struct cx_thread *fresh_one(const struct cx_thread *self)
{
    uint32_t count = 0, found = 0;
    struct cx_thread **others = cx_others(self, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (!cx_told_has(&known, cx_pair_hash(self, others[i]))) {
            others[found++] = others[i];
        }
    }
    if (found == 0 || cx_prng_below(&cx_sched.prng, one_in) != 0) {
        return NULL;
    }
    return others[cx_prng_below(&cx_sched.prng, found)];
}

static struct cx_thread *fresh_at_point(struct cx_thread *self)
{
    cx_sites_pass(self);
    struct cx_thread *next = fresh_one(self);
    if (next != NULL) {
        cx_rank_rise(next);
        cx_rank_stop(self);
    } else {
        next = cx_rank_highest(self, self);
    }
    if (next != self) {
        cx_told_add(&known, cx_pair_hash(self, next));
    }
    return next;
}

static struct cx_thread *fresh_at_switch(struct cx_thread *self, struct cx_thread *fallback)
{
    struct cx_thread *next = fresh_one(self);
    if (next != NULL) {
        cx_rank_rise(next);
    } else {
        next = cx_rank_at_switch(self, fallback);
    }
    cx_told_add(&known, cx_pair_hash(self, next));
    return next;
}

const struct cx_strategy cx_strategy_fresh = {
    .begin = fresh_begin,
    .thread_created = cx_rank_draw,
    .distance = cx_distance_choice,
    .at_point = fresh_at_point,
    .at_switch = fresh_at_switch,
    .pick = cx_pick_evenly,
};
