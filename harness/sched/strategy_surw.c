// SPDX-License-Identifier: Apache-2.0
//
// strategy_surw: the selective uniform random walk, and the uniform one (Zhao, Wolff, Mathur and Roychoudhury,
// "Selectively uniform concurrency testing", ASPLOS 2025).
//
// urw: the next thread is drawn in proportion to how many operations each still has to do, which makes every
// interleaving equally likely, where a plain random walk prefers those that end one thread early. surw: the same over
// the accesses of a few objects alone. A thread is drawn, and until its next access nobody else may make one;
// everything that is no access goes by random priorities of threads.
//
// Where ours differs: the counts come from the run in the default order (exec/profile.c, which also draws one to
// three objects, by their accesses); a thread that has not been made yet is counted with its creator; in most runs
// points that no other thread can tell from the next are passed over, and threads start at once; a thread that yields
// or spins waits for one turn of somebody else, and its priority falls below all others; timed waits may end early
// where a thread is chosen. And the first draws of a run are not random by themselves: in the order of the draws the
// interleavings stand side by side on a line, each as wide as it is likely, and a run is the one at its place. Places
// follow an even sequence from run to run (exec/deal.c), so that few interleavings come twice before others came once.
#include "harness/sched/again.h"
#include "harness/sched/sched.h"

#include <stddef.h>

#define SPAN_MIN (1ULL << 24) // a place that is known less well is used up

static uint64_t remaining[CX_THREADS_MAX];  // scheduler token: operations that count, descendants' included
static uint64_t priorities[CX_THREADS_MAX]; // scheduler token
CX_LARGE(remaining, NULL);
CX_LARGE(priorities, NULL);
static uint64_t lowest;              // scheduler token: below every priority given so far
static int fine;                     // const after begin
static uint64_t focus[CX_FOCUS_MAX]; // const after begin: addresses; 0 where every operation counts
static uint64_t place;               // scheduler token: what is left of the request's, a fraction of 2^64,
static uint64_t span;                // scheduler token: and of how many parts; 0: numbers are drawn
static struct cx_thread *intended;   // scheduler token: who may access `focus` next; NULL: not drawn yet

static void urw_begin(void)
{
    fine = cx_draw_fine();
    lowest = 1ULL << 32;
    focus[0] = 0;
    intended = NULL;
    place = cx_sched.channel->request.place;
    span = place != 0 ? UINT64_MAX : 0;
}

static void surw_begin(void)
{
    urw_begin();
    for (uint32_t i = 0; i < CX_FOCUS_MAX; i++) {
        focus[i] = cx_sched.channel->request.focus[i];
    }
}

static uint64_t events_of(const struct cx_thread *thread)
{
    const struct cx_request *request = &cx_sched.channel->request;
    for (uint32_t i = 0; i < request->profile_count && i < CX_PROFILE_MAX; i++) {
        if (request->profile[i].thread == thread->key) {
            return request->profile[i].events;
        }
    }
    return 1;
}

static void surw_thread_created(struct cx_thread *thread)
{
    uint64_t events = events_of(thread);
    remaining[thread->index] = events;
    priorities[thread->index] = (1ULL << 32) + 1 + (cx_prng_next(&cx_sched.prng) >> 2);
    if (thread->index > 0) {
        uint64_t *parents = &remaining[thread->parent];
        *parents = *parents > events ? *parents - events : 0;
    }
}

// An estimate that has run out does not starve a thread.
static uint64_t weight(const struct cx_thread *thread)
{
    return remaining[thread->index] > 0 ? remaining[thread->index] : 1;
}

// `first` may be NULL. NULL if there is nobody.
static struct cx_thread *draw_by_weight(struct cx_thread *first, struct cx_thread **others, uint32_t count)
{
    uint64_t sum = first != NULL ? weight(first) : 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += weight(others[i]);
    }
    if (sum == 0) {
        return NULL;
    }
    unsigned __int128 position = (unsigned __int128)place * sum;
    int placed = span >= SPAN_MIN;
    uint64_t drawn = placed ? (uint64_t)(position >> 64) : cx_prng_below(&cx_sched.prng, sum);
    struct cx_thread *next = first;
    uint64_t before = 0;
    for (uint32_t at = 0; next == NULL || drawn >= before + weight(next); at++) {
        before += next != NULL ? weight(next) : 0;
        next = others[at];
    }
    if (placed) {
        place = (uint64_t)((position - ((unsigned __int128)before << 64)) / weight(next));
        span = (uint64_t)((unsigned __int128)span * weight(next) / sum);
    }
    return next;
}

static void count_down(const struct cx_thread *thread)
{
    remaining[thread->index] -= remaining[thread->index] > 0;
}

static int at_access(const struct cx_thread *thread)
{
    uint64_t object = (uint64_t)(uintptr_t)thread->object;
    uint32_t at = 0;
    while (at < CX_FOCUS_MAX && (focus[at] < object || focus[at] - object >= thread->bytes)) {
        at++;
    }
    return object != 0 && at < CX_FOCUS_MAX && cx_matters(thread->op, fine);
}

// The thread with the highest priority among those that may go on; NULL if all of them are about to access an object
// that counts and somebody else is intended to.
static struct cx_thread *first_allowed(struct cx_thread *first, struct cx_thread **others, uint32_t count)
{
    struct cx_thread *best = first != NULL && (!at_access(first) || first == intended) ? first : NULL;
    for (uint32_t i = 0; i < count; i++) {
        int allowed = !at_access(others[i]) || others[i] == intended;
        if (allowed && (best == NULL || priorities[others[i]->index] > priorities[best->index])) {
            best = others[i];
        }
    }
    return best;
}

static struct cx_thread *draw_next(struct cx_thread *first, struct cx_thread **others, uint32_t count)
{
    struct cx_thread *fresh = cx_not_begun(others, count, fine);
    if (fresh != NULL) {
        return fresh;
    }
    if (focus[0] == 0) {
        struct cx_thread *next = draw_by_weight(first, others, count);
        if (next != NULL) {
            count_down(next);
        }
        return next;
    }
    if (intended == NULL) {
        intended = draw_by_weight(first, others, count);
    }
    struct cx_thread *next = first_allowed(first, others, count);
    if (next == NULL) {
        intended = next = draw_by_weight(first, others, count);
    }
    if (next != NULL && next == intended && at_access(next)) {
        count_down(next);
        intended = NULL;
    }
    return next;
}

static struct cx_thread *surw_at_point(struct cx_thread *self)
{
    if (!cx_matters(self->op, fine)) {
        return self;
    }
    uint32_t count = 0;
    struct cx_thread **others = cx_others(self, &count);
    struct cx_thread *next = draw_next(self, others, count);
    struct cx_thread *expiring = next != self || count == 0 ? cx_choose_expiry(self) : NULL;
    return expiring != NULL ? expiring : next;
}

static struct cx_thread *surw_at_switch(struct cx_thread *self, struct cx_thread *fallback)
{
    struct cx_thread *expiring = cx_choose_expiry(self);
    if (self->op == CX_OP_YIELD || self->op == CX_OP_SPIN) {
        priorities[self->index] = --lowest;
        intended = NULL; // it may be waiting for an access that nobody else is let make
    }
    // What it set out to do is still to be done, but not when it yields or ends.
    remaining[self->index] += self->status == CX_THREAD_BLOCKED && (focus[0] == 0 || at_access(self));
    uint32_t count = 0;
    struct cx_thread *next = draw_next(NULL, cx_others(self, &count), count);
    if (expiring != NULL) {
        return expiring;
    }
    return next != NULL ? next : fallback;
}

const struct cx_strategy cx_strategy_urw = {
    .begin = urw_begin,
    .thread_created = surw_thread_created,
    .distance = cx_distance_choice,
    .at_point = surw_at_point,
    .at_switch = surw_at_switch,
    .pick = cx_pick_evenly,
};

const struct cx_strategy cx_strategy_surw = {
    .begin = surw_begin,
    .thread_created = surw_thread_created,
    .distance = cx_distance_choice,
    .at_point = surw_at_point,
    .at_switch = surw_at_switch,
    .pick = cx_pick_evenly,
};
