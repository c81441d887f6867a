// SPDX-License-Identifier: Apache-2.0
//
// portfolio: runs are dealt among the strategies, more of them to those that have paid off. After the multi-armed
// bandits (Auer, Cesa-Bianchi, Freund and Schapire, "The nonstochastic multiarmed bandit problem", SIAM J. Comput. 32,
// 2002), which have the two ideas that are needed here: draw by weights that follow the rewards, and keep a floor under
// every weight, because what pays changes while one searches.
//
// A run pays by the hand-offs between operations that no run before it had shown, which every strategy has, and by new
// signatures, which count for many; and it costs: a strategy that switches at every operation of a long program plays
// one run while another plays a hundred. The members' shares are shares of cost. Where ours differs: shares change
// between generations alone, and cost is counted in points and switches, so that neither the number of jobs nor the
// machine matters; shares start from what the strategies did on bench/corpus (bench/strategies measures it); the first
// runs have shares of their own, for what one strategy has not found at once is mostly of the kind that another finds;
// old rewards fade by halves. Where ThreadSanitizer has reported races, there is one more member, whose runs are
// directed at them (strategy_race.c): what happens between two plain accesses no other member can see.
#include "harness/exec/portfolio.h"

#include "harness/exec/seed.h"
#include "harness/prng.h"

#define REWARD_SIGNATURE 256
#define REWARD_PRIOR 8  // runs that the starting share counts for
#define FLOOR_PERCENT 3 // of all cost, for each member
#define COST_RUN 40000  // of a process, in points without a switch: 500 us and 12 ns
#define COST_SWITCH 300
#define RATE_SCALE 1000000
#define SHARE_DIRECTED 40 // once ThreadSanitizer has reported a race

static const struct {
    uint32_t strategy;
    uint32_t opening;         // of all cost in the first runs, in percent,
    uint32_t share;           // and after them
    uint32_t switches_permil; // of a run's choices, as a first guess
} members[CX_PORTFOLIO_MEMBERS] = {
    {CX_STRATEGY_URW, 100, 12, 500},    {CX_STRATEGY_POS, 0, 34, 500},
    {CX_STRATEGY_SURW, 0, 28, 100},     {CX_STRATEGY_RANDOM, 0, 5, 10},
    {CX_STRATEGY_FEEDBACK, 0, 10, 500}, {CX_STRATEGY_PCT, 0, 6, 1},
    {CX_STRATEGY_DELAY, 0, 5, 1},       {CX_STRATEGY_RACE, 0, SHARE_DIRECTED, 10},
};

// Directed runs need a race that has been reported.
static int takes_part(uint32_t member, int directed)
{
    return directed || members[member].strategy != CX_STRATEGY_RACE;
}

static void weights_set(const struct cx_portfolio *portfolio, const uint64_t *shares, uint64_t *weights)
{
    for (uint32_t i = 0; i < CX_PORTFOLIO_MEMBERS; i++) {
        uint64_t cost_mean = portfolio->cost[i] / portfolio->runs[i] + 1;
        weights[i] = (shares[i] << 32) / cost_mean;
    }
}

uint64_t cx_portfolio_cost(uint64_t runs, uint64_t steps, uint64_t switches)
{
    return COST_RUN * runs + steps + COST_SWITCH * switches;
}

void cx_portfolio_init(struct cx_portfolio *portfolio, uint64_t choices)
{
    uint64_t shares[CX_PORTFOLIO_MEMBERS];
    uint64_t opening[CX_PORTFOLIO_MEMBERS];
    for (uint32_t i = 0; i < CX_PORTFOLIO_MEMBERS; i++) {
        shares[i] = takes_part(i, 0) ? members[i].share : 0;
        opening[i] = members[i].opening;
        portfolio->runs[i] = 2;
        portfolio->cost[i] = 2 * (COST_RUN + choices + choices * members[i].switches_permil * COST_SWITCH / 1000);
    }
    weights_set(portfolio, shares, portfolio->weights);
    weights_set(portfolio, opening, portfolio->opening);
}

uint32_t cx_portfolio_strategy(const struct cx_portfolio *portfolio, uint64_t number, uint64_t place)
{
    const uint64_t *weights = number <= CX_PORTFOLIO_OPENING ? portfolio->opening : portfolio->weights;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < CX_PORTFOLIO_MEMBERS; i++) {
        sum += weights[i];
    }
    uint64_t left = (uint64_t)(((unsigned __int128)place * sum) >> 64);
    uint32_t at = 0;
    while (at + 1 < CX_PORTFOLIO_MEMBERS && left >= weights[at]) {
        left -= weights[at++];
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
            portfolio->runs[i]++;
            portfolio->cost[i] += cx_portfolio_cost(1, record->steps, record->switches);
            portfolio->reward[i] += (news != 0) + REWARD_SIGNATURE * (uint64_t)fresh;
        }
    }
}

// Reward for cost, in multiples of the starting share, so that nothing changes where nothing is learned.
static uint64_t rate(const struct cx_portfolio *portfolio, uint32_t member)
{
    uint64_t cost_runs = portfolio->cost[member] / COST_RUN + REWARD_PRIOR;
    return RATE_SCALE * (portfolio->reward[member] + REWARD_PRIOR) / cost_runs;
}

// A member that joins late is taken to be as good as the best of the others, until its own runs say something else: the
// others' first runs have had what is found easily.
static void join(struct cx_portfolio *portfolio, uint32_t member)
{
    uint64_t best = 0;
    for (uint32_t i = 0; i < CX_PORTFOLIO_MEMBERS; i++) {
        best = i != member && rate(portfolio, i) > best ? rate(portfolio, i) : best;
    }
    uint64_t cost_runs = portfolio->cost[member] / COST_RUN + REWARD_PRIOR;
    uint64_t reward = best * cost_runs / RATE_SCALE;
    portfolio->reward[member] = reward > REWARD_PRIOR ? reward - REWARD_PRIOR : 0;
}

void cx_portfolio_generation(struct cx_portfolio *portfolio, int directed)
{
    uint64_t rates[CX_PORTFOLIO_MEMBERS];
    uint64_t sum = 1;
    for (uint32_t i = 0; i < CX_PORTFOLIO_MEMBERS; i++) {
        if (directed && !portfolio->directed && !takes_part(i, 0)) {
            join(portfolio, i);
        }
    }
    portfolio->directed = directed;
    for (uint32_t i = 0; i < CX_PORTFOLIO_MEMBERS; i++) {
        rates[i] = takes_part(i, directed) ? members[i].share * rate(portfolio, i) : 0;
        sum += rates[i];
    }
    uint64_t shares[CX_PORTFOLIO_MEMBERS];
    uint64_t floors = (uint64_t)(CX_PORTFOLIO_MEMBERS - !directed) * FLOOR_PERCENT;
    for (uint32_t i = 0; i < CX_PORTFOLIO_MEMBERS; i++) {
        shares[i] = takes_part(i, directed) ? FLOOR_PERCENT + (100 - floors) * rates[i] / sum : 0;
    }
    weights_set(portfolio, shares, portfolio->weights);
    for (uint32_t i = 0; i < CX_PORTFOLIO_MEMBERS; i++) {
        portfolio->runs[i] = (portfolio->runs[i] + 1) / 2;
        portfolio->cost[i] = (portfolio->cost[i] + 1) / 2;
        portfolio->reward[i] /= 2;
    }
}
