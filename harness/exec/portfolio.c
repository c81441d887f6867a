// SPDX-License-Identifier: Apache-2.0
//
// portfolio: runs are dealt among the strategies, more of them to those that have paid off. After the multi-armed
// bandits (Auer, Cesa-Bianchi, Freund and Schapire, "The nonstochastic multiarmed bandit problem", SIAM J. Comput. 32,
// 2002), which have the two ideas that are needed here: draw by weights that follow the rewards, and keep a floor under
// every weight, because what pays changes while one searches.
//
// A run pays by the hand-offs between operations that no run before it had shown, which every strategy has, and by new
// signatures, which count for many. Where ours differs: weights change between generations alone, so that the number of
// jobs does not matter; they start from what the strategies did on bench/corpus (bench/strategies measures it), and
// old rewards fade by halves.
#include "harness/exec/portfolio.h"

#include "harness/exec/seed.h"
#include "harness/prng.h"

#define REWARD_SIGNATURE 16
#define FLOOR_PERCENT 5 // of all runs, for each member

static const struct {
    uint32_t strategy;
    uint32_t weight; // at the start, in percent
} members[CX_PORTFOLIO_MEMBERS] = {
    {CX_STRATEGY_POS, 25}, {CX_STRATEGY_SURW, 25},    {CX_STRATEGY_URW, 15},     {CX_STRATEGY_PCT, 15},
    {CX_STRATEGY_DELAY, 5}, {CX_STRATEGY_RANDOM, 10}, {CX_STRATEGY_FEEDBACK, 5},
};

void cx_portfolio_init(struct cx_portfolio *portfolio)
{
    for (uint32_t i = 0; i < CX_PORTFOLIO_MEMBERS; i++) {
        portfolio->weights[i] = members[i].weight * 100;
    }
}

uint32_t cx_portfolio_strategy(const struct cx_portfolio *portfolio, uint64_t seed)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < CX_PORTFOLIO_MEMBERS; i++) {
        sum += portfolio->weights[i];
    }
    struct cx_prng prng = {cx_mix(seed ^ CX_STRATEGY_PORTFOLIO)};
    uint64_t drawn = cx_prng_below(&prng, sum);
    uint32_t at = 0;
    while (drawn >= portfolio->weights[at]) {
        drawn -= portfolio->weights[at++];
    }
    return members[at].strategy;
}

uint32_t cx_portfolio_depth(uint64_t seed)
{
    struct cx_prng prng = {cx_mix(seed ^ CX_STRATEGY_PCT)};
    return 2 + (uint32_t)cx_prng_below(&prng, 4);
}

void cx_portfolio_judge(struct cx_portfolio *portfolio, const struct cx_record *record, uint32_t fresh)
{
    uint64_t news = 0;
    for (uint32_t i = 0; i < CX_COVERAGE_HANDOFF_WORDS; i++) {
        news |= record->coverage[i] & ~portfolio->seen[i];
        portfolio->seen[i] |= record->coverage[i];
    }
    for (uint32_t i = 0; i < CX_PORTFOLIO_MEMBERS; i++) {
        if (members[i].strategy == record->dealt) {
            portfolio->runs[i] += 16;
            portfolio->reward[i] += 16 * ((news != 0) + REWARD_SIGNATURE * (uint64_t)fresh);
        }
    }
}

void cx_portfolio_generation(struct cx_portfolio *portfolio)
{
    uint64_t rates[CX_PORTFOLIO_MEMBERS];
    uint64_t sum = 0;
    for (uint32_t i = 0; i < CX_PORTFOLIO_MEMBERS; i++) {
        // Its rate of reward, in ten thousandths, pulled towards the weight that it started with.
        rates[i] = (portfolio->reward[i] * 10000 + members[i].weight * 1600) / (portfolio->runs[i] + 160);
        rates[i] = rates[i] * members[i].weight + 1;
        sum += rates[i];
        portfolio->runs[i] /= 2;
        portfolio->reward[i] /= 2;
    }
    const uint64_t shared = 10000 - (uint64_t)CX_PORTFOLIO_MEMBERS * FLOOR_PERCENT * 100;
    for (uint32_t i = 0; i < CX_PORTFOLIO_MEMBERS; i++) {
        portfolio->weights[i] = (uint32_t)(FLOOR_PERCENT * 100 + shared * rates[i] / sum);
    }
}
