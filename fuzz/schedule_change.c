// SPDX-License-Identifier: Apache-2.0
//
// schedule_change: changes of a schedule, for the mutators.
//
// Some begin anew: a seed, and any strategy. Some let a run go on in another way from one of its hand-offs: from the
// last one that was something new as often as from any. What an engine keeps are runs that have reached something new,
// so that the search goes on from where others have seldom been.
//
// Where it is known what earlier runs have reached, mutants go by that, and the more often the longer no run has ended
// as none did before: first what is easily found, by all strategies alike; then what has never been. Half of these
// mutants do what has lately brought the most new pairs for its hand-offs; mostly that is strategy fresh, which asks
// for hand-offs that no run had. For their hand-offs: runs that switch at every operation have many new pairs, but that
// takes them thousands of hand-offs, and they seldom show what fails when one thread is left alone for long. A quarter
// stop threads where few have been stopped (strategy stops). And a quarter go on, shortly before its end, from a run
// that ended as few have: what fails in most runs hides what fails behind it, and what is rare is near to what is
// rarer.
//
// That switches and threads are not changed one by one, but for strategy replay, is for a reason: after an earlier
// change the number of a point means another one, while all that is before a hand-off stays.
#include "fuzz/schedule_input.h"

#include <string.h>

#define OTHERS ((uint32_t)(sizeof(others) / sizeof(others[0])))
#define POINT_BITS_MAX 18    // a finalization has 300 000 points
#define IDLE_HALF 256        // so many runs without a new end, and every other mutant goes by what is known
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

// A place in proportion to its weight; `count` if all are zero.
static uint32_t place_draw(struct cx_prng *prng, const double *weights, uint32_t count)
{
    double sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += weights[i];
    }
    double at = sum * (double)below(prng, 1u << 30) / (double)(1u << 30);
    uint32_t place = 0;
    while (place < count && at >= weights[place]) {
        at -= weights[place++];
    }
    return place;
}

// FUZZ_KINDS where nothing is known. By the third power: the way that brings twice as much as another is taken eight
// times as often.
static uint32_t kind_by_yield(struct cx_prng *prng, const struct fuzz_past *past)
{
    double weights[FUZZ_KINDS];
    for (uint32_t i = 0; i < FUZZ_KINDS; i++) {
        weights[i] = past->yields[i] * past->yields[i] * past->yields[i];
    }
    return place_draw(prng, weights, FUZZ_KINDS);
}

// One strategy as often as another, and random with a rate that its seed draws as often as with any other.
static uint32_t kind_of_whole(struct cx_prng *prng)
{
    uint32_t strategy = below(prng, 1 + OTHERS);
    uint32_t rate = below(prng, 2) * (1 + below(prng, CX_RATE_MAX));
    return FUZZ_KINDS_OF_SEGMENTS + (strategy == 0 ? rate : FUZZ_RATES + strategy - 1);
}

// Of a run that goes on: fresh, where pairs are known, as often as all others together.
static uint32_t kind_of_segment(struct cx_prng *prng, const struct fuzz_past *past)
{
    if (past != NULL && past->pairs != NULL && below(prng, 2) == 0) {
        return FUZZ_KIND_FRESH + below(prng, FUZZ_KIND_STOPS - FUZZ_KIND_FRESH);
    }
    return below(prng, FUZZ_KIND_FRESH);
}

static void begin_anew(struct cx_prng *prng, struct fuzz_schedule *schedule, uint32_t kind)
{
    uint32_t whole = kind - FUZZ_KINDS_OF_SEGMENTS;
    enum cx_strategy_kind strategy = whole < FUZZ_RATES ? CX_STRATEGY_RANDOM : others[whole - FUZZ_RATES];
    memset(schedule, 0, sizeof(*schedule));
    while (fuzz_strategies[schedule->strategy] != strategy) {
        schedule->strategy++;
    }
    schedule->depth = (uint8_t)(whole < FUZZ_RATES ? whole : below(prng, FUZZ_DEPTHS));
    schedule->seed = cx_prng_next(prng);
}

// All pairs, and operations before which threads have stopped a number of times that is drawn: where all are gone
// through, they are gone through once more. But what an earlier segment goes by stays.
static void known_fill(struct cx_prng *prng, struct fuzz_schedule *schedule, const struct cx_pairs *pairs)
{
    if (fuzz_schedule_is_told(schedule)) {
        return;
    }
    uint32_t often = 1 + below(prng, 1 + (pairs->stops_count > 0 ? pairs->stops_sum / pairs->stops_count : 0));
    struct cx_told known = {.salt = schedule->seed};
    for (uint32_t i = 0; i < CX_PAIRS_MAX; i++) {
        if (pairs->hashes[i] != 0) {
            cx_told_add(&known, pairs->hashes[i]);
        }
    }
    for (uint32_t i = 0; i < CX_STOPS_MAX; i++) {
        if (pairs->stops[i] >= often) {
            cx_told_add(&known, pairs->stop_hashes[i]);
        }
    }
    memcpy(schedule->known, known.bits, sizeof(schedule->known));
}

static uint32_t after_draw(struct cx_prng *prng, const struct fuzz_past *past, uint32_t kind)
{
    if (kind >= FUZZ_KIND_FRESH && below(prng, 3) == 0) {
        return 0;
    }
    if (past != NULL && past->fresh_at > 0 && below(prng, 2) == 0) {
        return past->fresh_at;
    }
    return past != NULL && past->handoffs > 0 ? 1 + below(prng, past->handoffs)
                                              : magnitude_draw(prng, HANDOFFS_BITS_MAX);
}

static void go_on(struct cx_prng *prng, struct fuzz_schedule *schedule, const struct fuzz_past *past, uint32_t kind,
                  uint32_t after)
{
    struct cx_segment segment = fuzz_segment(kind);
    segment.after = after;
    segment.seed = cx_prng_next(prng);
    uint32_t kept = schedule->segments_count;
    while (kept > 0 && (kept == FUZZ_SEGMENTS_MAX || schedule->segments[kept - 1].after >= after)) {
        kept--;
    }
    schedule->segments_count = kept;
    if (kind >= FUZZ_KIND_FRESH) {
        known_fill(prng, schedule, past->pairs);
    }
    schedule->segments[schedule->segments_count++] = segment;
    if (!fuzz_schedule_is_told(schedule)) {
        memset(schedule->known, 0, sizeof(schedule->known));
    }
}

static uint32_t bits_of(uint32_t number)
{
    return number > 0 ? 32 - (uint32_t)__builtin_clz(number) : 0;
}

// 0: there is none.
static int from_rare(struct cx_prng *prng, struct fuzz_schedule *schedule, const struct fuzz_past *past)
{
    double weights[FUZZ_OUTCOMES_MAX];
    uint32_t choices = 0;
    for (uint32_t i = 0; i < past->outcomes_count; i++) {
        int fits = past->outcomes[i].scenario == past->scenario;
        weights[i] = fits ? 1.0 / (double)past->outcomes[i].runs : 0;
        choices += (uint32_t)fits;
    }
    if (choices < 2) {
        return 0;
    }
    uint32_t place = place_draw(prng, weights, past->outcomes_count);
    if (place == past->outcomes_count) { // what was lost by rounding
        return 0;
    }
    const struct fuzz_outcome *outcome = &past->outcomes[place];
    uint32_t count = outcome->runs < FUZZ_KEPT ? (uint32_t)outcome->runs : FUZZ_KEPT;
    const struct fuzz_kept *kept = &outcome->kept[below(prng, count)];
    uint32_t back = magnitude_draw(prng, bits_of(kept->handoffs));
    *schedule = kept->schedule;
    go_on(prng, schedule, past, kind_of_segment(prng, past), back < kept->handoffs ? kept->handoffs - back : 0);
    return 1;
}

// The longer no run has ended as none did before, the more often.
static int is_time(struct cx_prng *prng, const struct fuzz_past *past)
{
    return past != NULL && below(prng, past->idle + IDLE_HALF) < past->idle;
}

// 0: nothing is known by which to go.
static int guided(struct cx_prng *prng, struct fuzz_schedule *schedule, const struct fuzz_past *past)
{
    if (past == NULL || past->pairs == NULL) {
        return 0;
    }
    uint32_t way = below(prng, 4);
    if (way == 0) {
        return from_rare(prng, schedule, past);
    }
    uint32_t kind = way == 1 ? FUZZ_KIND_STOPS + below(prng, CX_STOPS_RATE_MAX + 1) : kind_by_yield(prng, past);
    if (kind == FUZZ_KINDS) {
        return 0;
    }
    if (kind >= FUZZ_KINDS_OF_SEGMENTS) {
        begin_anew(prng, schedule, kind);
    } else {
        go_on(prng, schedule, past, kind, way == 1 || kind >= FUZZ_KIND_FRESH ? 0 : after_draw(prng, past, kind));
    }
    return 1;
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
    int switches = fuzz_strategies[schedule->strategy] == CX_STRATEGY_REPLAY;
    if (!switches && is_time(prng, past) && guided(prng, schedule, past)) {
        return;
    }
    if (below(prng, 2) == 0) {
        begin_anew(prng, schedule, kind_of_whole(prng));
    } else if (switches) {
        switch_change(prng, schedule);
    } else {
        uint32_t kind = kind_of_segment(prng, past);
        go_on(prng, schedule, past, kind, after_draw(prng, past, kind));
    }
}
