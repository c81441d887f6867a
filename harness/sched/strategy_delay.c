// SPDX-License-Identifier: Apache-2.0
//
// strategy_delay: delay-bounded scheduling (Emmi, Qadeer and Rakamaric, "Delay-bounded scheduling", POPL 2011).
//
// A deterministic order, ours is the default order, but for a few delays: where one falls, the thread whose turn it is
// is passed over, and the next one in the order of creation goes on.
//
// Where ours differs: the delays are sampled, not enumerated: their number is drawn between 1 and 5 for each run, half
// of the runs with one or two, and their places evenly over the points with a choice, whose number a calibration run
// has measured; a place may be one where a thread blocks, and then the next one but one goes on; the order of creation
// is followed from a thread that is drawn for each run, so that late threads need no more delays than early ones.
#include "harness/sched/sched.h"

#include <stddef.h>

#define DELAYS_MAX 5

static uint64_t delay_at[DELAYS_MAX]; // const after begin: in units of cx_sched.choices
static uint32_t delays;               // const after begin
static uint64_t order_seed;           // const after begin

static void delay_begin(void)
{
    uint64_t choices = cx_sched.channel->request.choices_expected;
    if (choices == 0) {
        choices = 10000;
    }
    delays = 1 + (uint32_t)cx_prng_below(&cx_sched.prng, 1 + cx_prng_below(&cx_sched.prng, DELAYS_MAX));
    for (uint32_t i = 0; i < delays; i++) {
        delay_at[i] = cx_sched.choices_before + 1 + cx_prng_below(&cx_sched.prng, choices);
    }
    order_seed = cx_prng_next(&cx_sched.prng);
}

static void delay_thread_created(struct cx_thread *thread)
{
    (void)thread;
}

static uint64_t delay_distance(const struct cx_thread *self)
{
    (void)self;
    uint64_t first = UINT64_MAX;
    for (uint32_t i = 0; cx_has_choice() && i < delays; i++) {
        uint64_t left = delay_at[i] > cx_sched.choices ? delay_at[i] - cx_sched.choices : 1;
        first = delay_at[i] != 0 && left < first ? left : first;
    }
    return first;
}

// How many delays have come due since this was last asked.
static uint32_t delays_due(void)
{
    uint32_t due = 0;
    for (uint32_t i = 0; i < delays; i++) {
        if (delay_at[i] != 0 && delay_at[i] <= cx_sched.choices) {
            delay_at[i] = 0;
            due++;
        }
    }
    return due;
}

// The thread that comes `skip` places after the first in the order of this run.
static struct cx_thread *in_order(struct cx_thread **others, uint32_t count, uint32_t skip)
{
    return others[(order_seed + skip) % count];
}

static struct cx_thread *delay_at_point(struct cx_thread *self)
{
    uint32_t due = delays_due();
    uint32_t count = 0;
    struct cx_thread **others = cx_others(self, &count);
    if (due == 0) {
        return self;
    }
    struct cx_thread *expiring = cx_choose_expiry(self);
    if (expiring != NULL) {
        return expiring;
    }
    return count > 0 ? in_order(others, count, due - 1) : self;
}

static struct cx_thread *delay_at_switch(struct cx_thread *self, struct cx_thread *fallback)
{
    struct cx_thread *expiring = cx_choose_expiry(self);
    if (expiring != NULL) {
        return expiring;
    }
    uint32_t count = 0;
    struct cx_thread **others = cx_others(self, &count);
    return count > 0 ? in_order(others, count, delays_due()) : fallback;
}

const struct cx_strategy cx_strategy_delay = {
    .begin = delay_begin,
    .thread_created = delay_thread_created,
    .distance = delay_distance,
    .at_point = delay_at_point,
    .at_switch = delay_at_switch,
    .pick = cx_pick_evenly,
};
