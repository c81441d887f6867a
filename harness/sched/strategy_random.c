// SPDX-License-Identifier: Apache-2.0
//
// strategy_random: a random walk with a drawn preemption rate.
//
// A textbook random walk chooses anew at every point. On a whole interpreter that is hundreds of thousands of switches
// a run, nearly all of them noise, and a thread is never left alone for long enough to get anywhere. Here each run
// first draws how many preemptions it will make, log-uniformly between 1 and 1024, and spreads them evenly at random
// over the points with a choice (whose number a calibration run has measured). Where a thread must be chosen (block,
// yield, exit), the choice is uniform. That few switches suffice for most bugs is the observation behind PCT
// (strategy_pct.c); drawing their number anew for each run leaves no number of them out.
#include "harness/sched/sched.h"

#include <stddef.h>

static uint64_t gap_mean; // const until a segment begins
static uint64_t next_at;  // scheduler token, in units of cx_sched.choices

static void draw_next(void)
{
    next_at = cx_sched.choices + 1 + cx_prng_below(&cx_sched.prng, 2 * gap_mean);
}

static void random_begin(void)
{
    uint64_t choices = cx_sched.channel->request.choices_expected;
    if (choices == 0) {
        choices = 10000;
    }
    // Log-uniform in [1, 1024), unless a segment says how many: a power of two, then a number between it and the next.
    uint64_t power = 1ULL << (cx_sched.rate == 0 ? cx_prng_below(&cx_sched.prng, CX_RATE_MAX) : cx_sched.rate - 1);
    uint64_t preemptions = power + cx_prng_below(&cx_sched.prng, power);
    // At least 2: a short run that drew more preemptions than it has choices would pass no two of them in peace.
    gap_mean = choices / preemptions + 1;
    gap_mean = gap_mean < 2 ? 2 : gap_mean;
    draw_next();
}

static void random_thread_created(struct cx_thread *thread)
{
    (void)thread;
}

static uint64_t random_distance(const struct cx_thread *self)
{
    (void)self;
    if (!cx_has_choice()) {
        return UINT64_MAX;
    }
    return next_at > cx_sched.choices ? next_at - cx_sched.choices : 1;
}

static struct cx_thread *draw_thread(struct cx_thread *self, struct cx_thread *fallback)
{
    struct cx_thread *expiring = cx_choose_expiry(self);
    if (expiring != NULL) {
        return expiring;
    }
    uint32_t count = 0;
    struct cx_thread **others = cx_others(self, &count);
    return count > 0 ? others[cx_prng_below(&cx_sched.prng, count)] : fallback;
}

static struct cx_thread *random_at_point(struct cx_thread *self)
{
    if (cx_sched.choices < next_at) {
        return self;
    }
    draw_next();
    return draw_thread(self, self);
}

const struct cx_strategy cx_strategy_random = {
    .begin = random_begin,
    .thread_created = random_thread_created,
    .distance = random_distance,
    .at_point = random_at_point,
    .at_switch = draw_thread,
    .pick = cx_pick_evenly,
};
