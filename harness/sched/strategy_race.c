// SPDX-License-Identifier: Apache-2.0
//
// strategy_race: race-directed runs (Sen, "Race directed random testing of concurrent programs", PLDI 2008).
//
// RaceFuzzer walks at random, and a thread that is about to perform one of two statements that may race is put off
// until another one stands before the other statement, with the same memory. Then both orders are possible, and a coin
// says which it will be; what comes of it tells a harmful race from a benign one.
//
// Where ours differs: the two accesses are those of a race that ThreadSanitizer has seen, named by their addresses in
// the program, and their bytes must overlap; the request says which is first, so that each order gets as many runs; one
// thread is held at a time, and after the first access the second one is put off for a drawn while; who runs meanwhile
// and afterwards is decided by `random` or `pct`, so that there are many continuations, and nobody is preempted for a
// drawn while after the two; a thread that is held in vain goes on after a while, and in a quarter of the runs the
// first few arrivals are let pass, because another execution of the same statement may be the one that matters.
//
// Where `pct` gives threads stops of their own, there are hints like points that an author has named, and how often
// threads stop there is drawn for each run: in a third of these runs the plain accesses that are points, in the others
// all operations of the two functions that perform the accesses, and of these in every second one nobody is held. What
// one race shows is often not all that can go wrong between two functions: a pointer may be read before the other one
// frees what it points to, and used thereafter.
//
// Only what is a point can be held: not accesses to the thread's own stack, nor those inside of libc.
#include "harness/sched/sched.h"

#include <stddef.h>

#define PATIENCE_MIN 64
#define STOP_POWERS 8 // one access in a power of two below this is a hint

enum phase {
    SEEKING = 0, // nobody is held
    HOLDING,     // one stands before its access
    ORDERED,     // the first one performs its access, the second one is held
    LINGERING,   // that is done; the second one is held a little longer
    DONE,
};

static const struct cx_strategy *inner; // const after begin
static enum phase phase;                // scheduler token
static struct cx_thread *held;          // scheduler token: not to run
static uint32_t held_sides;             // scheduler token: one bit for each access that it stands before
static struct cx_thread *first;         // scheduler token: who performs its access before the held one
static uint64_t ticks;                  // scheduler token: decisions so far
static uint64_t until;                  // scheduler token: tick at which the held one goes on
static uint64_t patience;               // scheduler token
static uint64_t calm_until;             // scheduler token: tick up to which nobody is preempted
static uint64_t hint_one_in;            // const after begin
static int focused;                     // const after begin: hints are in the functions of the race alone
static uint32_t skip;                   // scheduler token: arrivals to let pass

// 0 in half of all draws, else log-uniform below 2^powers.
static uint32_t draw_few(uint32_t powers)
{
    if (cx_prng_below(&cx_sched.prng, 2) == 0) {
        return 0;
    }
    uint64_t power = 1ULL << cx_prng_below(&cx_sched.prng, powers);
    return (uint32_t)(power + cx_prng_below(&cx_sched.prng, power));
}

static void race_begin(void)
{
    // Where threads have stops of their own (strategy_pct.c), a random walk adds little.
    uint64_t coin = cx_prng_below(&cx_sched.prng, cx_sched.channel->request.points_expected > 0 ? 4 : 2);
    inner = coin == 0 ? &cx_strategy_random : &cx_strategy_pct;
    focused = coin > 1;
    phase = coin > 2 ? DONE : SEEKING;
    held = NULL;
    first = NULL;
    ticks = 0;
    patience = 1000 + 2 * cx_sched.channel->request.choices_expected;
    calm_until = 0;
    skip = cx_prng_below(&cx_sched.prng, 2) == 0 ? draw_few(4) : 0;
    hint_one_in = focused ? 1 : 1ULL << cx_prng_below(&cx_sched.prng, STOP_POWERS);
    inner->begin();
}

static void race_thread_created(struct cx_thread *thread)
{
    inner->thread_created(thread);
}

static uint64_t race_distance(const struct cx_thread *self)
{
    (void)self;
    return cx_has_choice() ? 1 : UINT64_MAX;
}

static uint32_t sides_of(const struct cx_thread *self)
{
    const struct cx_race_aim *aim = &cx_sched.channel->request.race;
    uint64_t pc = (uint64_t)(uintptr_t)self->caller;
    if (self->op == CX_OP_AFTER) {
        return 0;
    }
    return (uint32_t)(pc == aim->pcs[0]) | (uint32_t)(pc == aim->pcs[1]) << 1;
}

static void release(void)
{
    held = NULL;
    phase = phase == HOLDING ? SEEKING : DONE;
}

// `self` stands before the other access: which of the two goes first is in the request.
static struct cx_thread *order(struct cx_thread *self, uint32_t sides)
{
    uint32_t wanted = cx_sched.channel->request.race.first;
    // One address for both: the held one came first.
    int held_first = sides == held_sides ? wanted == 0 : (held_sides >> wanted & 1) != 0;
    first = held_first ? held : self;
    held = held_first ? self : held;
    phase = ORDERED;
    cx_sched.channel->result.race_met = 1;
    return first;
}

// What the two accesses ask for when `self` stands at a point: a thread that must run now, or NULL.
static struct cx_thread *arrive(struct cx_thread *self)
{
    uint32_t sides = phase == SEEKING || phase == HOLDING ? sides_of(self) : 0;
    if (sides == 0) {
        return NULL;
    }
    if (phase == HOLDING) {
        int others = (sides == 3 && held_sides == 3) || (sides & ~held_sides) != 0;
        int meet = others && cx_overlapping(self->object, self->bytes, held->object, held->bytes) &&
                   cx_conflicting(self->op, held->op);
        return meet ? order(self, sides) : NULL;
    }
    if (skip > 0) {
        skip--;
        return NULL;
    }
    held = self;
    held_sides = sides;
    phase = HOLDING;
    until = ticks + patience;
    return NULL;
}

// Every decision: is the first access done, and has the held thread waited long enough? Returns it if it must run now.
static struct cx_thread *advance(const struct cx_thread *self)
{
    ticks++;
    if (phase == ORDERED && self == first) {
        phase = LINGERING;
        until = ticks + draw_few(8);
        calm_until = until + draw_few(8);
    }
    if ((phase != HOLDING && phase != LINGERING) || ticks < until) {
        return NULL;
    }
    struct cx_thread *due = phase == LINGERING ? held : NULL;
    patience = patience / 2 > PATIENCE_MIN ? patience / 2 : PATIENCE_MIN;
    release();
    return due;
}

static struct cx_thread *draw_other(struct cx_thread *self)
{
    uint32_t count = 0;
    uint32_t left = 0;
    struct cx_thread **others = cx_others(self, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (others[i] != held) {
            others[left++] = others[i];
        }
    }
    if (left > 0) {
        return others[cx_prng_below(&cx_sched.prng, left)];
    }
    for (uint32_t i = 0; cx_sched.timed > 0 && i < cx_sched.count; i++) {
        if (cx_may_end_early(&cx_sched.threads[i])) {
            return &cx_sched.threads[i];
        }
    }
    return NULL;
}

// Somebody else where `next` is the held thread; where there is nobody, it goes on. `stay`: `self` may, too.
static struct cx_thread *without_held(struct cx_thread *self, struct cx_thread *next, int stay)
{
    if (held == NULL || next != held) {
        return next;
    }
    if (stay && self != held) {
        return self;
    }
    struct cx_thread *other = draw_other(self);
    if (other == NULL) {
        release();
        return next;
    }
    return other;
}

// 1 if this point is a hint where to stop.
static int hints(const struct cx_thread *self)
{
    const struct cx_range *around = cx_sched.channel->request.race.around;
    uint64_t pc = (uint64_t)(uintptr_t)self->caller - 1;
    if (!focused) {
        return self->op == CX_OP_READ || self->op == CX_OP_WRITE;
    }
    return self->op != CX_OP_AFTER &&
           ((pc >= around[0].start && pc < around[0].end) || (pc >= around[1].start && pc < around[1].end));
}

static struct cx_thread *race_at_point(struct cx_thread *self)
{
    struct cx_thread *due = advance(self);
    if (due == NULL) {
        due = arrive(self);
    }
    if (due != NULL) {
        return due;
    }
    if (inner->labelled != NULL && hints(self) && cx_prng_below(&cx_sched.prng, hint_one_in) == 0) {
        inner->labelled(self);
    }
    return ticks < calm_until && self != held ? self : without_held(self, inner->at_point(self), 1);
}

static struct cx_thread *race_at_switch(struct cx_thread *self, struct cx_thread *fallback)
{
    struct cx_thread *due = advance(self);
    return due != NULL ? due : without_held(self, inner->at_switch(self, fallback), 0);
}

static uint32_t race_pick(struct cx_thread *self, uint32_t n)
{
    return inner->pick(self, n);
}

static void race_labelled(struct cx_thread *self)
{
    if (inner->labelled != NULL) {
        inner->labelled(self);
    }
}

const struct cx_strategy cx_strategy_race = {
    .begin = race_begin,
    .thread_created = race_thread_created,
    .distance = race_distance,
    .at_point = race_at_point,
    .at_switch = race_at_switch,
    .pick = race_pick,
    .labelled = race_labelled,
};
