// SPDX-License-Identifier: Apache-2.0
//
// schedule_change: changes of a schedule, for the mutators.
//
// A third of them begin anew: a seed, and any strategy. A third let a run go on in another way from one of its
// hand-offs: from the last one that was something new as often as from any. What an engine keeps are runs that have
// reached something new, so that the search goes on from where others have seldom been. The last third does the one or
// the other, in the way whose runs have lately brought the most new pairs for their hand-offs; where nothing is known
// of them, it is as the other two. For their hand-offs: runs that switch at every operation have the most new pairs,
// but that takes them thousands of hand-offs, and they seldom show what fails when one thread is left alone for long.
//
// That switches and threads are not changed one by one, but for strategy replay, is for a reason: after an earlier
// change the number of a point means another one, while all that is before a hand-off stays.
#include "fuzz/schedule_input.h"

#include <string.h>

#define OTHERS ((uint32_t)(sizeof(others) / sizeof(others[0])))
#define POINT_BITS_MAX 18    // a finalization has 300 000 points
#define HANDOFFS_BITS_MAX 12 // of a run of which nothing is known

// Whole schedules: random with each of its rates, then these.
static const enum cx_strategy_kind others[] = {CX_STRATEGY_POS, CX_STRATEGY_PCT, CX_STRATEGY_DELAY};
_Static_assert(FUZZ_KINDS == FUZZ_KINDS_OF_SEGMENTS + FUZZ_RATES + OTHERS, "every kind has a place in fuzz_past");

static uint32_t below(struct cx_prng *prng, uint32_t bound)
{
    return (uint32_t)cx_prng_below(prng, bound);
}

// A number of any magnitude alike: most schedules that matter have points early in a thread's life.
static uint32_t magnitude_draw(struct cx_prng *prng, uint32_t bits_max)
{
    return 1 + below(prng, 1u << below(prng, bits_max + 1));
}

static void switch_change(struct cx_prng *prng, struct fuzz_schedule *schedule)
{
    uint32_t at = schedule->switches_count > 0 ? below(prng, schedule->switches_count) : 0;
    struct fuzz_switch *entry = &schedule->switches[at];
    uint32_t what = schedule->switches_count > 0 ? below(prng, 6) : 0;
    if (what < 2 && schedule->switches_count < FUZZ_SWITCHES_MAX) {
        schedule->switches[schedule->switches_count++] = (struct fuzz_switch){
            .thread = (uint8_t)below(prng, FUZZ_SWITCH_THREADS),
            .to = (uint8_t)below(prng, FUZZ_SWITCH_THREADS),
            .point = magnitude_draw(prng, POINT_BITS_MAX),
        };
    } else if (what == 2) {
        *entry = schedule->switches[--schedule->switches_count];
    } else if (what == 3) {
        entry->to = (uint8_t)below(prng, FUZZ_SWITCH_THREADS);
    } else if (what == 4) {
        entry->point += below(prng, 9);
        entry->point -= entry->point > 4 ? 4 : 0;
    } else {
        entry->point = magnitude_draw(prng, POINT_BITS_MAX);
    }
}

// The third power: the way that brings twice as much as another is taken eight times as often.
static double weight(double yield)
{
    return yield * yield * yield;
}

// FUZZ_KINDS where nothing is known.
static uint32_t kind_by_yield(struct cx_prng *prng, const struct fuzz_past *past)
{
    double sum = 0;
    for (uint32_t i = 0; i < FUZZ_KINDS; i++) {
        sum += weight(past->yields[i]);
    }
    double at = sum * (double)below(prng, 1u << 30) / (double)(1u << 30);
    uint32_t kind = 0;
    while (kind < FUZZ_KINDS && at >= weight(past->yields[kind])) {
        at -= weight(past->yields[kind++]);
    }
    return kind;
}

// One strategy as often as another, and random with a rate that its seed draws as often as with any other.
static uint32_t kind_of_whole(struct cx_prng *prng)
{
    uint32_t strategy = below(prng, 1 + OTHERS);
    uint32_t rate = below(prng, 2) * (1 + below(prng, CX_RATE_MAX));
    return FUZZ_KINDS_OF_SEGMENTS + (strategy == 0 ? rate : FUZZ_RATES + strategy - 1);
}

static uint32_t kind_draw(struct cx_prng *prng, const struct fuzz_past *past)
{
    uint32_t third = below(prng, 3);
    uint32_t kind = third == 2 && past != NULL ? kind_by_yield(prng, past) : FUZZ_KINDS;
    if (kind < FUZZ_KINDS) {
        return kind;
    }
    return third == 0 || (third == 2 && below(prng, 2) == 0) ? kind_of_whole(prng)
                                                             : below(prng, FUZZ_KINDS_OF_SEGMENTS);
}

static void begin_anew(struct cx_prng *prng, struct fuzz_schedule *schedule, uint32_t kind)
{
    enum cx_strategy_kind strategy = kind < FUZZ_RATES ? CX_STRATEGY_RANDOM : others[kind - FUZZ_RATES];
    memset(schedule, 0, sizeof(*schedule));
    while (fuzz_strategies[schedule->strategy] != strategy) {
        schedule->strategy++;
    }
    schedule->depth = (uint8_t)(kind < FUZZ_RATES ? kind : below(prng, FUZZ_DEPTHS));
    schedule->seed = cx_prng_next(prng);
}

static void go_on(struct cx_prng *prng, struct fuzz_schedule *schedule, const struct fuzz_past *past, uint32_t kind)
{
    struct cx_segment segment = fuzz_segment(kind);
    if (past != NULL && past->fresh_at > 0 && below(prng, 2) == 0) {
        segment.after = past->fresh_at;
    } else if (past != NULL && past->handoffs > 0) {
        segment.after = 1 + below(prng, past->handoffs);
    } else {
        segment.after = magnitude_draw(prng, HANDOFFS_BITS_MAX);
    }
    segment.seed = cx_prng_next(prng);
    uint32_t kept = schedule->segments_count;
    while (kept > 0 && (kept == FUZZ_SEGMENTS_MAX || schedule->segments[kept - 1].after >= segment.after)) {
        kept--;
    }
    schedule->segments[kept] = segment;
    schedule->segments_count = kept + 1;
}

uint32_t fuzz_schedule_kind(const struct fuzz_schedule *schedule)
{
    enum cx_strategy_kind strategy = (enum cx_strategy_kind)fuzz_strategies[schedule->strategy];
    if (strategy != CX_STRATEGY_REPLAY && schedule->segments_count > 0) {
        return fuzz_segment_kind(&schedule->segments[schedule->segments_count - 1]);
    }
    if (strategy == CX_STRATEGY_RANDOM) {
        return FUZZ_KINDS_OF_SEGMENTS + schedule->depth;
    }
    for (uint32_t i = 0; i < OTHERS; i++) {
        if (others[i] == strategy) {
            return FUZZ_KINDS_OF_SEGMENTS + FUZZ_RATES + i;
        }
    }
    return FUZZ_KINDS;
}

void fuzz_schedule_change(struct cx_prng *prng, struct fuzz_schedule *schedule, const struct fuzz_past *past)
{
    uint32_t kind = kind_draw(prng, past);
    if (kind >= FUZZ_KINDS_OF_SEGMENTS) {
        begin_anew(prng, schedule, kind - FUZZ_KINDS_OF_SEGMENTS);
    } else if (fuzz_strategies[schedule->strategy] == CX_STRATEGY_REPLAY) {
        switch_change(prng, schedule);
    } else {
        go_on(prng, schedule, past, kind);
    }
}
