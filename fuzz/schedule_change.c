// SPDX-License-Identifier: Apache-2.0
//
// schedule_change: changes of a schedule, for the mutators.
//
// Some begin anew: a seed, and any strategy. Some let a run go on in another way from one of its hand-offs: from the
// last one that was something new as often as from any. What an engine keeps are runs that have reached something new,
// so that the search goes on from where others have seldom been.
//
// Where it is known what earlier runs have reached, mutants go by that:
//
// * Those that begin anew do it in a way whose runs end as few others do: where all runs of a strategy come to the
//   same, no more is learned from it. One way is strategy hold, at operations where few have been held.
// * Those that go on do it mostly where a run has come to an operation to which few have: what lies behind several
//   steps is reached one after the other (as FairFuzz does: Lemieux and Sen, "FairFuzz: a targeted mutation strategy
//   for increasing greybox fuzz testing coverage", ASE 2018).
// * The longer no run has ended as none did before, the more go on, shortly before its end, from a run that ended as
//   few have: what fails in most runs hides what fails behind it, and what is rare is near to what is rarer.
// * And the more do what has lately brought the most new pairs for its hand-offs; mostly that is strategy fresh, which
//   asks for hand-offs that no run had. For their hand-offs: runs that switch at every operation have many new pairs,
//   but that takes them thousands of hand-offs, and they seldom show what fails when one thread is left alone for long.
//
// That switches and threads are not changed one by one, but for strategy replay, is for a reason: after an earlier
// change the number of a point means another one, while all that is before a hand-off stays.
#include "fuzz/schedule_input.h"

#include <string.h>

#define OTHERS ((uint32_t)(sizeof(others) / sizeof(others[0])))
#define POINT_BITS_MAX 18    // a finalization has 300 000 points
#define IDLE_HALF 128        // so many runs without a new end, and every other mutant is one of idles()
#define OFTEN 8              // an operation to which one in so many runs comes is not rare
#define MANY_ENDS 3          // of runs: they can be told apart by these
#define FEW_RATE_MAX 4       // of random: up to 16 preemptions
#define HANDOFFS_BITS_MAX 12 // of a run of which nothing is known

// Whole schedules: random with each of its rates, then these.
static const enum cx_strategy_kind others[] = {CX_STRATEGY_POS, CX_STRATEGY_PCT, CX_STRATEGY_DELAY};
_Static_assert(FUZZ_KINDS == FUZZ_KINDS_OF_SEGMENTS + FUZZ_RATES + OTHERS, "every kind has a place in fuzz_past");

static int knows(const struct fuzz_past *past)
{
    return past != NULL && past->pairs != NULL;
}

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

// Their weights where all runs have ended alike.
static const struct {
    double weight;
    uint32_t first;
    uint32_t count;
} families[FUZZ_FAMILIES] = {
    [FUZZ_FAMILY_FRESH] = {0.5, FUZZ_KIND_FRESH, CX_FRESH_RATE_MAX + 1},
    [FUZZ_FAMILY_HOLD] = {3, FUZZ_KIND_HOLD, CX_HOLD_RATE_MAX + 1},
    [FUZZ_FAMILY_RANDOM] = {1, FUZZ_KINDS_OF_SEGMENTS, 1},
    [FUZZ_FAMILY_FEW] = {1, FUZZ_KINDS_OF_SEGMENTS + 1, FEW_RATE_MAX},
    [FUZZ_FAMILY_MANY] = {0.5, FUZZ_KINDS_OF_SEGMENTS + 1 + FEW_RATE_MAX, CX_RATE_MAX - FEW_RATE_MAX},
    [FUZZ_FAMILY_POS] = {3, FUZZ_KINDS_OF_SEGMENTS + FUZZ_RATES, 1},
    [FUZZ_FAMILY_PCT] = {3, FUZZ_KINDS_OF_SEGMENTS + FUZZ_RATES + 1, 1},
    [FUZZ_FAMILY_DELAY] = {3, FUZZ_KINDS_OF_SEGMENTS + FUZZ_RATES + 2, 1},
};

enum fuzz_family fuzz_family_of(uint32_t kind)
{
    uint32_t family = FUZZ_FAMILIES - 1;
    while (family > FUZZ_FAMILY_SEGMENT && kind - families[family].first >= families[family].count) {
        family--;
    }
    return family;
}

// By the square: what ends rarely twice as often is done four times as often.
static uint32_t kind_by_ends(struct cx_prng *prng, const struct fuzz_past *past)
{
    double weights[FUZZ_FAMILIES];
    for (uint32_t i = 0; i < FUZZ_FAMILIES; i++) {
        weights[i] = families[i].weight * past->scores[i] * past->scores[i];
    }
    uint32_t family = place_draw(prng, weights, FUZZ_FAMILIES);
    family = family < FUZZ_FAMILIES ? family : FUZZ_FAMILY_RANDOM; // what was lost by rounding
    return families[family].first + below(prng, families[family].count);
}

// Of a run that goes on: fresh, where pairs are known, as often as all others together.
static uint32_t kind_of_segment(struct cx_prng *prng, const struct fuzz_past *past)
{
    if (knows(past) && below(prng, 2) == 0) {
        return FUZZ_KIND_FRESH + below(prng, FUZZ_KIND_HOLD - FUZZ_KIND_FRESH);
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

// One operation, or up to three; mostly where few runs have held somebody.
static void places_fill(struct cx_prng *prng, struct fuzz_schedule *schedule, const struct cx_sites *sites)
{
    static double weights[CX_SITES_MAX]; // large
    struct cx_told places = {.salt = schedule->seed};
    for (uint32_t i = 0; i < CX_SITES_MAX; i++) {
        double often = 1.0 + sites->held_by[i];
        weights[i] = sites->hashes[i] != 0 ? 1 / (often * often * often) : 0;
    }
    for (uint32_t left = 1 + below(prng, 2) * below(prng, 3); left > 0; left--) {
        uint32_t place = place_draw(prng, weights, CX_SITES_MAX);
        if (place < CX_SITES_MAX) {
            cx_told_add(&places, sites->hashes[place]);
        }
    }
    memcpy(schedule->known, places.bits, sizeof(schedule->known));
}

// But what an earlier segment goes by stays.
static void pairs_fill(struct fuzz_schedule *schedule, const struct cx_pairs *pairs)
{
    if (fuzz_schedule_is_told(schedule)) {
        return;
    }
    struct cx_told known = {.salt = schedule->seed};
    for (uint32_t i = 0; i < CX_PAIRS_MAX; i++) {
        if (pairs->hashes[i] != 0) {
            cx_told_add(&known, pairs->hashes[i]);
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

// Hold is of a run from its beginning on: `after` is 0.
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
    if (kind >= FUZZ_KIND_HOLD) {
        places_fill(prng, schedule, &past->pairs->sites);
    } else if (kind >= FUZZ_KIND_FRESH) {
        pairs_fill(schedule, past->pairs);
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

// 0: all have ended alike.
static int from_rare(struct cx_prng *prng, struct fuzz_schedule *schedule, const struct fuzz_past *past)
{
    double weights[FUZZ_OUTCOMES_MAX];
    for (uint32_t i = 0; i < past->outcomes_count; i++) {
        weights[i] = past->outcomes[i].scenario == past->scenario ? 1.0 / (double)past->outcomes[i].runs : 0;
    }
    uint32_t place = past->ends > 1 ? place_draw(prng, weights, past->outcomes_count) : past->outcomes_count;
    if (place == past->outcomes_count) {
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

uint32_t fuzz_site_often(const struct cx_sites *sites)
{
    return 2 + sites->runs / OFTEN;
}

// The hand-off before the operation stays, and in half of all cases the one after it, too. 0: there is no such one.
static int from_site(struct cx_prng *prng, struct fuzz_schedule *schedule, const struct fuzz_past *past)
{
    double weights[FUZZ_SITES_MAX];
    for (uint32_t i = 0; i < FUZZ_SITES_MAX; i++) {
        const struct fuzz_site *site = &past->sites[i];
        int fits = site->place > 0 && site->scenario == past->scenario;
        uint32_t runs = fits ? past->pairs->sites.passed_by[site->place - 1] : 0;
        weights[i] = fits && runs < fuzz_site_often(&past->pairs->sites) ? 1.0 / runs : 0;
    }
    uint32_t place = place_draw(prng, weights, FUZZ_SITES_MAX);
    if (place == FUZZ_SITES_MAX) {
        return 0;
    }
    const struct fuzz_site *site = &past->sites[place];
    *schedule = site->schedule;
    go_on(prng, schedule, past, below(prng, FUZZ_KIND_FRESH), site->handoffs + below(prng, 2));
    return 1;
}

static void by_kind(struct cx_prng *prng, struct fuzz_schedule *schedule, const struct fuzz_past *past, uint32_t kind)
{
    if (kind >= FUZZ_KINDS_OF_SEGMENTS) {
        begin_anew(prng, schedule, kind);
    } else {
        go_on(prng, schedule, past, kind, kind >= FUZZ_KIND_FRESH ? 0 : after_draw(prng, past, kind));
    }
}

// Once nothing new comes. Where runs end in several ways, three quarters go on from rare ones. 0: nothing is known by
// which to go.
static int idles(struct cx_prng *prng, struct fuzz_schedule *schedule, const struct fuzz_past *past)
{
    uint32_t way = below(prng, 4);
    if (way == 0 || (way < 3 && past->ends >= MANY_ENDS)) {
        return from_rare(prng, schedule, past);
    }
    uint32_t kind = kind_by_yield(prng, past);
    if (kind < FUZZ_KINDS) {
        by_kind(prng, schedule, past, kind);
    }
    return kind < FUZZ_KINDS;
}

// 0: nothing is known by which to go.
static int guided(struct cx_prng *prng, struct fuzz_schedule *schedule, const struct fuzz_past *past)
{
    if (below(prng, past->idle + IDLE_HALF) < past->idle && idles(prng, schedule, past)) {
        return 1;
    }
    if (below(prng, 2) == 0) {
        by_kind(prng, schedule, past, kind_by_ends(prng, past));
        return 1;
    }
    return below(prng, 4) != 0 && from_site(prng, schedule, past);
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
    int known = !switches && knows(past);
    if (known && guided(prng, schedule, past)) {
        return;
    }
    if (!known && below(prng, 2) == 0) {
        begin_anew(prng, schedule, kind_of_whole(prng));
    } else if (switches) {
        switch_change(prng, schedule);
    } else {
        uint32_t kind = kind_of_segment(prng, past);
        go_on(prng, schedule, past, kind, after_draw(prng, past, kind));
    }
}
