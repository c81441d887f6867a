// SPDX-License-Identifier: Apache-2.0
//
// strategy_hold: whoever comes to one of a few operations waits there until nobody else can go on.
//
// What matters are places in the program, not threads: of nine threads that do the same, all stand before the second of
// two stores while a tenth one reads both. A strategy that stops threads one by one needs nine stops for that. After
// Wolff, Shi, Duck, Mathur and Roychoudhury, "Greybox fuzzing for concurrency testing" (ASPLOS 2024), where a schedule
// is a few constraints over events that stand for all that the same instruction makes.
//
// Where ours differs: a constraint is one operation (of a caller) before which threads are held, not a pair; it begins
// with an arrival that is drawn below 2^rate, and in half of all runs it is for that arrival alone. Which operations
// are meant comes with the input (`told` of the channel). Who is not held has a priority that is drawn anew for each
// operation, as in strategy pos but for conflicts.
#include "harness/sched/again.h"
#include "harness/sched/sched.h"

#include <stddef.h>
#include <string.h>

static struct cx_told places; // const until a segment begins
CX_LARGE(places, NULL);
static uint8_t held[CX_THREADS_MAX]; // scheduler token: its priority is below all that are drawn, and stays
CX_LARGE(held, NULL);
static uint64_t skip;   // scheduler token: arrivals to let pass
static int once;        // const until a segment begins: for one arrival alone
static uint32_t counts; // scheduler token: how many were held

static void hold_begin(void)
{
    places = cx_sched.channel->told;
    memset(held, 0, sizeof(held));
    skip = cx_prng_below(&cx_sched.prng, 1ULL << cx_sched.rate);
    once = cx_prng_below(&cx_sched.prng, 2) == 0;
    counts = 0;
    cx_ranks_begin();
}

// Is it held here?
static int arrives(const struct cx_thread *self)
{
    if ((once && counts > 0) || !cx_told_has(&places, cx_site_hash(self))) {
        return 0;
    }
    if (skip > 0) {
        skip--;
        return 0;
    }
    if (counts++ == 0) {
        cx_sites_hold(self);
    }
    return 1;
}

static struct cx_thread *hold_at_point(struct cx_thread *self)
{
    if (!cx_matters(self->op, 0)) {
        return self;
    }
    cx_sites_pass(self);
    if (arrives(self)) {
        held[self->index] = 1;
        cx_rank_fall(self);
    } else if (!held[self->index]) {
        cx_rank_draw(self);
    }
    return cx_rank_highest(self, self);
}

const struct cx_strategy cx_strategy_hold = {
    .begin = hold_begin,
    .thread_created = cx_rank_draw,
    .distance = cx_distance_choice,
    .at_point = hold_at_point,
    .at_switch = cx_rank_at_switch,
    .pick = cx_pick_evenly,
};
