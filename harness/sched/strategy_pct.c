// SPDX-License-Identifier: Apache-2.0
//
// strategy_pct: probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi and Nagarakatte, "A randomized
// scheduler with probabilistic guarantees of finding bugs", ASPLOS 2010).
//
// Every thread has a random priority; the highest that can run runs; at d-1 points drawn over the length of the run
// the running thread falls below all others. A bug of depth d is found with probability at least 1/(n k^(d-1)).
//
// Where ours differs: the length k counts only points with a choice, and is measured by a calibration run instead of
// being guessed; a thread that yields, or spins, falls below all others, as in Coyote and Shuttle, since strict
// priorities starve whoever a spinner waits for; timed waits may end early at the points where a thread is chosen; a
// new thread draws its rank at random among those that are there.
//
// And where the request knows how many points threads pass (the portfolio learns it), each thread but main has stops of
// its own: the first lies anywhere among that many points, and each is followed by another one in half of all cases,
// near or far. They come in addition to the change points. Beside a main that ends a whole interpreter, a thread that
// attaches for a moment has one point in a hundred; drawn over all points, hardly any change would ever fall on it. In
// half of its own stops a thread falls below one of the others only, so that two threads can be stopped on their ways
// while a third one waits for both. In half of these runs main begins below all others, which then come to their first
// stops before it does anything. And a point that the author has named is a hint: how often threads stop at those is
// drawn for each run.
#include "harness/sched/again.h"
#include "harness/sched/sched.h"

#include <stddef.h>

#define DEPTH_MAX 64

static uint64_t change_at[DEPTH_MAX];   // const after begin: ascending, in units of cx_sched.choices
static uint32_t changes;                // const after begin
static uint32_t changes_done;           // scheduler token
static uint64_t own_at[CX_THREADS_MAX]; // scheduler token: a change at that point of this thread, 0: none
CX_LARGE(own_at, NULL);
static int own_stops;         // const after begin: there are stops of a thread's own
static uint64_t named_one_in; // const after begin: of so many passes of a named point, one is a stop
static int main_last;         // const after begin: main begins below all others

static void pct_begin(void)
{
    uint64_t choices = cx_sched.channel->request.choices_expected;
    if (choices == 0) {
        choices = 10000;
    }
    uint32_t depth = cx_sched.channel->request.pct_depth;
    changes = depth > 1 ? depth - 1 : 0;
    if (changes > DEPTH_MAX) {
        changes = DEPTH_MAX;
    }
    for (uint32_t i = 0; i < changes; i++) {
        uint64_t drawn = cx_sched.choices_before + 1 + cx_prng_below(&cx_sched.prng, choices);
        uint32_t at = i;
        for (; at > 0 && change_at[at - 1] > drawn; at--) {
            change_at[at] = change_at[at - 1];
        }
        change_at[at] = drawn;
    }
    changes_done = 0;
    cx_ranks_begin();
    own_stops = cx_sched.channel->request.points_expected > 0;
    named_one_in = own_stops ? 1ULL << cx_prng_below(&cx_sched.prng, 4) : 0;
    main_last = own_stops && cx_prng_below(&cx_sched.prng, 2) == 0;
}

// A stop of its own, and perhaps another one later.
static void stop(struct cx_thread *self)
{
    struct cx_prng *prng = &cx_sched.prng;
    cx_rank_stop(self);
    own_at[self->index] = 0;
    if (self->index > 0 && cx_prng_below(prng, 2) == 0) {
        // Log-uniform: what is near, such as the end of a call that has just begun, is as likely as what is far.
        uint64_t bits = 64 - (uint64_t)__builtin_clzll(cx_sched.channel->request.points_expected);
        own_at[self->index] = self->points + 1 + cx_prng_below(prng, 1ULL << (1 + cx_prng_below(prng, bits)));
    }
}

static void pct_labelled(struct cx_thread *self)
{
    if (named_one_in > 0 && cx_prng_below(&cx_sched.prng, named_one_in) == 0) {
        own_at[self->index] = self->points + 1;
    }
}

static void pct_thread_created(struct cx_thread *thread)
{
    cx_rank_draw(thread);
    own_at[thread->index] = 0;
    if (own_stops && thread->index > 0) {
        own_at[thread->index] = 1 + cx_prng_below(&cx_sched.prng, cx_sched.channel->request.points_expected);
    } else if (main_last) {
        cx_rank_fall(thread);
    }
}

static uint64_t pct_distance(const struct cx_thread *self)
{
    if (!cx_has_choice()) {
        return UINT64_MAX;
    }
    const struct cx_thread *best = cx_rank_highest(self, NULL);
    if (best != NULL && best->priority > self->priority) {
        return 1;
    }
    uint64_t own = own_at[self->index];
    uint64_t left = own == 0 ? UINT64_MAX : own > self->points ? own - self->points : 1;
    if (changes_done == changes) {
        return left;
    }
    uint64_t change = change_at[changes_done] > cx_sched.choices ? change_at[changes_done] - cx_sched.choices : 1;
    return change < left ? change : left;
}

static struct cx_thread *pct_at_point(struct cx_thread *self)
{
    struct cx_thread *expiring = NULL;
    if (own_at[self->index] != 0 && own_at[self->index] <= self->points) {
        stop(self);
    }
    while (changes_done < changes && change_at[changes_done] <= cx_sched.choices) {
        changes_done++;
        cx_rank_fall(self);
        expiring = cx_choose_expiry(self);
    }
    if (expiring != NULL) {
        return expiring;
    }
    return cx_rank_highest(self, self);
}

const struct cx_strategy cx_strategy_pct = {
    .begin = pct_begin,
    .thread_created = pct_thread_created,
    .distance = pct_distance,
    .at_point = pct_at_point,
    .at_switch = cx_rank_at_switch,
    .pick = cx_pick_evenly,
    .labelled = pct_labelled,
};
