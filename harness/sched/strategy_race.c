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
// In these runs (of the portfolio, all of them) what a race is about is drawn, too, for there are more of its kind than
// the two accesses:
//
// * Whoever is anywhere in the function of an access stands before it: in half of the runs, for each of the two, and
//   always where the access is no point, such as what `free` does to a block. Bytes do not matter then, and the second
//   one is put off for long enough, now and then, for the first one to leave its function, and for a third thread to
//   pass.
// * Main, or any thread but main, is held as it was where the race was seen: in seven of eight runs. Main, too, may
//   come by where another thread raced with it, and would be held for nothing.
// * Where main raced with another thread, one kind waits for a thread of the other to be held, in three of four of
//   these runs, after a drawn number of points; mostly the others for main. A thread that attaches for a moment is else
//   gone long before main has come so far.
//
// There a thread is let go, too, when others have waited or yielded several times: they wait for it, and would look
// again and again whether it has gone on.
//
// Only what is a point can be held: not accesses to the thread's own stack, nor those inside of libc.
#include "harness/sched/again.h"
#include "harness/sched/sched.h"

#include <stddef.h>

#define PATIENCE_MIN 64
#define STOP_POWERS 8   // one access in a power of two below this is a hint
#define SKIP_POWERS 4   // arrivals that are let pass: fewer than this power of two
#define INSIDE_POWERS 5 // and where any point of a function is an arrival
#define LINGER_POWERS 8 // decisions for which the second one is put off: fewer than this power of two
#define LEAVE_POWERS 12 // and where the first one is to leave its function, which may free a whole heap
#define PASS_POWERS 8   // points for which a thread that was let go is not held again: more than a call takes
#define VAIN_MAX 32     // times that others wait or yield before the held thread is let go

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
static int near[2];                     // const after begin: anywhere in the function of this access is before it
static int alike;                      // const after begin: main is main, and others others, as where the race was seen
static int led;                        // const after begin: one kind of threads waits for the other to be held
static int led_by_main;                // const after begin: if so, whether all threads but main wait, or main
static uint64_t leave[CX_THREADS_MAX]; // const after creation: points that a thread passes before it waits
CX_LARGE(leave, NULL);
static uint32_t holdable;        // const after begin: one bit for each access before which threads are held
static uint32_t skip;            // scheduler token: arrivals to let pass
static uint32_t skip_other;      // scheduler token: and as many at the other access, while one is held
static uint32_t waits_count;     // scheduler token: times that others waited or yielded while one is held
static struct cx_thread *passed; // scheduler token: who was let go,
static uint64_t passed_points;   // scheduler token: and is not held before it has passed so many points

// Log-uniform in [1, 2^powers).
static uint64_t draw_far(uint32_t powers)
{
    uint64_t power = 1ULL << cx_prng_below(&cx_sched.prng, powers);
    return power + cx_prng_below(&cx_sched.prng, power);
}

// 0 in half of all draws, else log-uniform below 2^powers.
static uint32_t draw_few(uint32_t powers)
{
    if (cx_prng_below(&cx_sched.prng, 2) == 0) {
        return 0;
    }
    return (uint32_t)draw_far(powers);
}

// 0 in three of four draws, else log-uniform below 2^powers.
static uint32_t draw_skip(uint32_t powers)
{
    return cx_prng_below(&cx_sched.prng, 2) == 0 ? draw_few(powers) : 0;
}

static int within(uint64_t pc, const struct cx_range *range)
{
    return pc - 1 >= range->start && pc - 1 < range->end;
}

static int main_at(uint32_t side)
{
    return cx_sched.channel->request.race.threads[side] == CX_THREAD_KEY_MAIN;
}

// 1 if it is enough to be in the function of an access.
static int inside(void)
{
    return near[0] || near[1];
}

static int both_known(void)
{
    return cx_sched.channel->request.race.threads[0] != 0 && cx_sched.channel->request.race.threads[1] != 0;
}

// What the run is about, where it is not the two accesses alone.
static void about_begin(void)
{
    const struct cx_race_aim *aim = &cx_sched.channel->request.race;
    uint64_t sides = cx_prng_below(&cx_sched.prng, 4);
    for (uint32_t i = 0; i < 2; i++) {
        int known = aim->around[i].end > aim->around[i].start;
        near[i] = known && ((sides >> i & 1) != 0 || !within(aim->pcs[i], &aim->around[i]));
    }
    if (inside()) {
        static const uint32_t bits[] = {3, 3, 1, 2};
        holdable = bits[cx_prng_below(&cx_sched.prng, 4)];
        skip = draw_skip(INSIDE_POWERS);
        skip_other = draw_skip(INSIDE_POWERS);
    }
    alike = both_known() && cx_prng_below(&cx_sched.prng, 8) != 0;
    led = alike && main_at(0) != main_at(1) && cx_prng_below(&cx_sched.prng, 4) != 0;
    if (led) {
        led_by_main = cx_prng_below(&cx_sched.prng, 4) != 0;
        holdable = main_at(0) == led_by_main ? 1 : 2;
    }
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
    skip = draw_skip(SKIP_POWERS);
    skip_other = 0;
    near[0] = near[1] = alike = led = 0;
    holdable = 3;
    passed = NULL;
    if (cx_sched.channel->request.points_expected > 0) {
        about_begin();
    }
    hint_one_in = focused ? 1 : 1ULL << cx_prng_below(&cx_sched.prng, STOP_POWERS);
    inner->begin();
}

static void race_thread_created(struct cx_thread *thread)
{
    const struct cx_request *request = &cx_sched.channel->request;
    inner->thread_created(thread);
    if (led) {
        uint64_t length = thread->index == 0 ? request->choices_expected : request->points_expected;
        leave[thread->index] = cx_prng_below(&cx_sched.prng, 2) == 0 ? 0 : cx_prng_below(&cx_sched.prng, length + 1);
    }
}

// 1 if `self` stands before this access.
static int before(const struct cx_thread *self, uint32_t side)
{
    const struct cx_race_aim *aim = &cx_sched.channel->request.race;
    uint64_t pc = (uint64_t)(uintptr_t)self->caller;
    if (alike && main_at(side) != (self->index == 0)) {
        return 0;
    }
    return near[side] ? within(pc, &aim->around[side]) : pc == aim->pcs[side];
}

static uint32_t sides_of(const struct cx_thread *self)
{
    return self->op == CX_OP_AFTER ? 0 : (uint32_t)before(self, 0) | (uint32_t)before(self, 1) << 1;
}

static void release(void)
{
    held = NULL;
    phase = phase == HOLDING ? SEEKING : DONE;
}

// All others wait: it goes on, and is not held again at once.
static void let_pass(void)
{
    passed = held;
    passed_points = held->points + draw_far(PASS_POWERS);
    release();
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

// 1 if `self` stands before one of the accesses, and the held thread before the other one.
static int meets(const struct cx_thread *self, uint32_t sides)
{
    int others = (sides == 3 && held_sides == 3) || (sides & ~held_sides) != 0;
    return others && (inside() || (cx_overlapping(self->object, self->bytes, held->object, held->bytes) &&
                                   cx_conflicting(self->op, held->op)));
}

// What the two accesses ask for when `self` stands at a point: a thread that must run now, or NULL.
static struct cx_thread *arrive(struct cx_thread *self)
{
    uint32_t sides = phase == SEEKING || phase == HOLDING ? sides_of(self) : 0;
    if (sides == 0) {
        return NULL;
    }
    if (phase == HOLDING) {
        int meet = meets(self, sides);
        if (meet && skip_other > 0) {
            skip_other--;
            return NULL;
        }
        return meet ? order(self, sides) : NULL;
    }
    if ((sides & holdable) == 0 || (self == passed && self->points < passed_points)) {
        return NULL;
    }
    if (skip > 0) {
        skip--;
        return NULL;
    }
    held = self;
    held_sides = sides;
    phase = HOLDING;
    until = ticks + patience;
    waits_count = 0;
    return NULL;
}

// Every decision: is the first access done, and has the held thread waited long enough? Returns it if it must run now.
static struct cx_thread *advance(const struct cx_thread *self)
{
    ticks++;
    if (phase == ORDERED && self == first) {
        phase = LINGERING;
        until = ticks + (inside() ? draw_far(LEAVE_POWERS) : draw_few(LINGER_POWERS));
        calm_until = until + draw_few(LINGER_POWERS);
        // Else no third thread would come between while the first one goes on.
        calm_until = inside() && cx_prng_below(&cx_sched.prng, 2) == 0 ? 0 : calm_until;
    }
    if ((phase != HOLDING && phase != LINGERING) || ticks < until) {
        return NULL;
    }
    struct cx_thread *due = phase == LINGERING ? held : NULL;
    patience = patience / 2 > PATIENCE_MIN ? patience / 2 : PATIENCE_MIN;
    release();
    return due;
}

// 1 if this thread is not to run before one of the other kind is held.
static int waits(const struct cx_thread *thread)
{
    return led && phase == SEEKING && (thread->index == 0) != led_by_main && thread->points >= leave[thread->index];
}

static struct cx_thread *draw_other(struct cx_thread *self)
{
    uint32_t count = 0;
    uint32_t left = 0;
    struct cx_thread **others = cx_others(self, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (others[i] != held && !waits(others[i])) {
            others[left++] = others[i];
        }
    }
    if (left > 0) {
        return others[cx_prng_below(&cx_sched.prng, left)];
    }
    for (uint32_t i = 0; held != NULL && cx_sched.timed > 0 && i < cx_sched.count; i++) {
        if (cx_may_end_early(&cx_sched.threads[i])) {
            return &cx_sched.threads[i];
        }
    }
    return NULL;
}

// Somebody else where `next` is held, or waits; where there is nobody, it goes on. `stay`: `self` may, too.
static struct cx_thread *unless_kept(struct cx_thread *self, struct cx_thread *next, int stay)
{
    if (next == NULL || (next != held && !waits(next))) {
        return next;
    }
    if (stay && self != held && !waits(self)) {
        return self;
    }
    struct cx_thread *other = draw_other(self);
    if (other == NULL) {
        if (held != NULL) {
            let_pass();
        }
        return next;
    }
    return other;
}

// 1 if this point is a hint where to stop.
static int hints(const struct cx_thread *self)
{
    const struct cx_range *around = cx_sched.channel->request.race.around;
    if (!focused) {
        return self->op == CX_OP_READ || self->op == CX_OP_WRITE;
    }
    uint64_t pc = (uint64_t)(uintptr_t)self->caller;
    return self->op != CX_OP_AFTER && (within(pc, &around[0]) || within(pc, &around[1]));
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
    return ticks < calm_until && self != held ? self : unless_kept(self, inner->at_point(self), 1);
}

// Another thread has to wait, or lets others go first: has that been so often that all wait for the held one?
static int in_vain(void)
{
    waits_count++;
    return cx_sched.channel->request.points_expected > 0 && waits_count == VAIN_MAX;
}

static struct cx_thread *race_at_switch(struct cx_thread *self, struct cx_thread *fallback)
{
    struct cx_thread *due = advance(self);
    if (due == NULL && phase == HOLDING && self != held && in_vain()) {
        due = held;
        let_pass();
    }
    return due != NULL ? due : unless_kept(self, inner->at_switch(self, fallback), 0);
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
    .distance = cx_distance_choice,
    .at_point = race_at_point,
    .at_switch = race_at_switch,
    .pick = race_pick,
    .labelled = race_labelled,
};
