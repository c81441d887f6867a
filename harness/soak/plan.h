// SPDX-License-Identifier: Apache-2.0
//
// plan: which piece of work a soak does next. Pure: no runs, no clock, no files.
//
// A unit is `runs` runs of one scenario on one target under one strategy, with a seed that is a function of the
// campaign's seed and the unit's number. Units come in rounds. The first round has one unit for every place (a scenario
// on a target). In a later one every fourth place has a unit of its own, in turn, so that each is visited at least
// every four rounds; the others are drawn, a place's chance being what its units have found that was new, later ones
// counting more, by what they cost. The strategy is drawn in the same way. Cost is counted in points, so that neither
// the machine nor the number of jobs matters: the plan is a function of seed and results, and results of the seed.
//
// Within a round units are in the order of places, so that a target's runners are started once a round.
#ifndef CX_SOAK_PLAN_H
#define CX_SOAK_PLAN_H

#include <stddef.h>
#include <stdint.h>

#define CX_SOAK_STRATEGIES_MAX 16
#define CX_SOAK_FLOOR_ROUNDS 4 // a place has a unit at least every so many rounds

// What a place, or a strategy, has brought: news fade by halves from round to round.
struct cx_soak_yield {
    uint64_t news; // new signatures, times CX_SOAK_NEWS
    uint64_t cost; // of all its units: cx_portfolio_cost()
    uint64_t units;
};

struct cx_soak_unit {
    uint64_t number;
    uint64_t seed;
    uint32_t place;
    uint32_t strategy; // index
};

struct cx_soak_plan {
    uint64_t seed;
    uint32_t places_count;
    uint32_t strategies_count;
    struct cx_soak_yield *places; // owned
    struct cx_soak_yield strategies[CX_SOAK_STRATEGIES_MAX];
    uint32_t *round_places; // owned; of this round's units, places_count of them
    uint8_t *round_floor;   // owned; 1: the place's turn, not drawn
    uint64_t round;
    uint32_t at;     // the next unit of this round
    uint64_t number; // of the next unit
};

// 0, or -1 without memory. Both counts are at least 1. The caller frees with cx_soak_plan_fini().
int cx_soak_plan_init(struct cx_soak_plan *plan, uint64_t seed, uint32_t places_count, uint32_t strategies_count);
void cx_soak_plan_fini(struct cx_soak_plan *plan);

// The next unit. Asked again before cx_soak_plan_judge() it is the same one.
struct cx_soak_unit cx_soak_plan_next(const struct cx_soak_plan *plan);

// That unit is done: it has shown `fresh` signatures that no unit before it had, and its runs passed `cost` points.
void cx_soak_plan_judge(struct cx_soak_plan *plan, uint64_t fresh, uint64_t cost);

#endif
