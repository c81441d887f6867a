// SPDX-License-Identifier: Apache-2.0
//
// plan: see plan.h.
#include "harness/soak/plan.h"

#include <stdlib.h>
#include <string.h>

#include "harness/exec/seed.h"

#define NEWS 256             // what one new signature counts, to be halved eight times
#define NEWS_PER_REWARD 16   // one that came in this round makes a place 17 times as likely
#define WEIGHT_SCALE_BITS 40 // a weight is reward by cost, which is a small fraction

static uint64_t weight_of(const struct cx_soak_yield *yield)
{
    uint64_t reward = 1 + yield->news / NEWS_PER_REWARD;
    reward = reward > 1U << 20 ? 1U << 20 : reward;
    uint64_t cost_mean = yield->units > 0 ? yield->cost / yield->units + 1 : 1;
    return (reward << WEIGHT_SCALE_BITS) / cost_mean + 1;
}

// The entry at `place`, a fraction of 2^64, with all entries side by side, each as wide as its weight.
static uint32_t draw(const struct cx_soak_yield *yields, uint32_t count, uint64_t place)
{
    unsigned __int128 sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += weight_of(&yields[i]);
    }
    // The sum has fewer than 96 bits: a weight 61, a count 32.
    unsigned __int128 left = (sum >> 32) * (place >> 32) + (((sum & UINT32_MAX) * (place >> 32)) >> 32);
    uint32_t at = 0;
    while (at + 1 < count && left >= weight_of(&yields[at])) {
        left -= weight_of(&yields[at++]);
    }
    return at;
}

// How many units of a round each place has. The drawn ones are at equal distances along the line of all weights, so
// that a place gets what it is worth and no luck is in it.
static void round_compose(struct cx_soak_plan *plan)
{
    uint32_t count = plan->places_count;
    uint32_t drawn_count = 0;
    uint32_t filled = 0;
    for (uint32_t i = 0; i < count; i++) {
        drawn_count += plan->round > 0 && (i + plan->round) % CX_SOAK_FLOOR_ROUNDS != 0;
    }
    uint64_t start = drawn_count > 0 ? cx_mix(plan->seed ^ cx_mix(plan->round)) / drawn_count : 0;
    uint64_t distance = drawn_count > 0 ? UINT64_MAX / drawn_count : 0;
    uint32_t next_drawn = drawn_count > 0 ? draw(plan->places, count, start) : count;
    uint32_t drawn = 0;
    for (uint32_t place = 0; place < count; place++) {
        if (plan->round == 0 || (place + plan->round) % CX_SOAK_FLOOR_ROUNDS == 0) {
            plan->round_floor[filled] = 1;
            plan->round_places[filled++] = place;
        }
        while (drawn < drawn_count && next_drawn == place) {
            plan->round_floor[filled] = 0;
            plan->round_places[filled++] = place;
            drawn++;
            next_drawn = draw(plan->places, count, start + drawn * distance);
        }
    }
}

int cx_soak_plan_init(struct cx_soak_plan *plan, uint64_t seed, uint32_t places_count, uint32_t strategies_count)
{
    memset(plan, 0, sizeof(*plan));
    plan->seed = seed;
    plan->places_count = places_count;
    plan->strategies_count = strategies_count;
    plan->places = calloc(places_count, sizeof(*plan->places));
    plan->round_places = calloc(places_count, sizeof(*plan->round_places));
    plan->round_floor = calloc(places_count, sizeof(*plan->round_floor));
    if (plan->places == NULL || plan->round_places == NULL || plan->round_floor == NULL) {
        cx_soak_plan_fini(plan);
        return -1;
    }
    round_compose(plan);
    return 0;
}

void cx_soak_plan_fini(struct cx_soak_plan *plan)
{
    free(plan->places);
    free(plan->round_places);
    free(plan->round_floor);
    memset(plan, 0, sizeof(*plan));
}

struct cx_soak_unit cx_soak_plan_next(const struct cx_soak_plan *plan)
{
    uint32_t place = plan->round_places[plan->at];
    uint64_t seed = cx_seed_of_unit(plan->seed, plan->number);
    // A place's turn goes through the strategies as well, so that the floor is one for every place and strategy.
    uint32_t strategy = plan->round_floor[plan->at]
                            ? (uint32_t)((place + plan->round / CX_SOAK_FLOOR_ROUNDS) % plan->strategies_count)
                            : draw(plan->strategies, plan->strategies_count, cx_mix(seed));
    return (struct cx_soak_unit){.number = plan->number, .seed = seed, .place = place, .strategy = strategy};
}

static void yield_add(struct cx_soak_yield *yield, uint64_t fresh, uint64_t cost)
{
    yield->news += fresh * NEWS;
    yield->cost += cost;
    yield->units++;
}

void cx_soak_plan_judge(struct cx_soak_plan *plan, uint64_t fresh, uint64_t cost)
{
    struct cx_soak_unit unit = cx_soak_plan_next(plan);
    yield_add(&plan->places[unit.place], fresh, cost);
    yield_add(&plan->strategies[unit.strategy], fresh, cost);
    plan->number++;
    if (++plan->at < plan->places_count) {
        return;
    }
    plan->at = 0;
    plan->round++;
    round_compose(plan); // with this round's news whole: they fade when they are older
    for (uint32_t i = 0; i < plan->places_count; i++) {
        plan->places[i].news /= 2;
    }
    for (uint32_t i = 0; i < plan->strategies_count; i++) {
        plan->strategies[i].news /= 2;
    }
}
