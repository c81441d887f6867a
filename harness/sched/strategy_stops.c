// SPDX-License-Identifier: Apache-2.0
//
// strategy_stops: threads stop before operations at which no thread has stopped, or few have.
//
// As pct with stops of a thread's own (strategy_pct.c), but for where they are: not at a number of points, most of
// which lie in loops, but before an operation (of a caller) that the run is not told to be known, one in 2^rate of
// those that the thread comes to. So the operations of short threads are gone through one after the other, each about
// as often as any other. Each thread but main stops once, in a quarter of all cases once more. In half of all runs main
// begins below all others, so that they come to their stops before it goes on.
#include "harness/sched/again.h"
#include "harness/sched/sched.h"

#include <stddef.h>
#include <string.h>

static struct cx_told known; // scheduler token: where somebody has stopped in this run is known, too
CX_LARGE(known, NULL);
static uint8_t done[CX_THREADS_MAX]; // scheduler token: it stops no more
CX_LARGE(done, NULL);
static uint64_t one_in; // const until a segment begins
static int main_last;   // const until a segment begins

static void stops_begin(void)
{
    known = cx_sched.channel->told;
    memset(done, 0, sizeof(done));
    one_in = 1ULL << cx_sched.rate;
    main_last = cx_prng_below(&cx_sched.prng, 2) == 0;
    cx_ranks_begin();
}

static void stops_thread_created(struct cx_thread *thread)
{
    cx_rank_draw(thread);
    if (main_last && thread->index == 0) {
        cx_rank_fall(thread);
    }
}

static uint64_t stops_distance(const struct cx_thread *self)
{
    if (!cx_has_choice()) {
        return UINT64_MAX;
    }
    uint32_t count = 0;
    struct cx_thread **others = cx_others(self, &count);
    const struct cx_thread *best = cx_rank_highest(NULL, others, count);
    int falls = best != NULL && best->priority > self->priority;
    return falls || (self->index > 0 && !done[self->index]) ? 1 : UINT64_MAX;
}

static struct cx_thread *stops_at_point(struct cx_thread *self)
{
    uint64_t hash = cx_stop_hash(self);
    if (self->index > 0 && !done[self->index] && !cx_told_has(&known, hash) &&
        cx_prng_below(&cx_sched.prng, one_in) == 0) {
        cx_told_add(&known, hash);
        cx_pairs_stopped(self);
        done[self->index] = cx_prng_below(&cx_sched.prng, 4) != 0;
        cx_rank_stop(self);
    }
    uint32_t count = 0;
    struct cx_thread **others = cx_others(self, &count);
    return cx_rank_highest(self, others, count);
}

const struct cx_strategy cx_strategy_stops = {
    .begin = stops_begin,
    .thread_created = stops_thread_created,
    .distance = stops_distance,
    .at_point = stops_at_point,
    .at_switch = cx_rank_at_switch,
    .pick = cx_pick_evenly,
};
