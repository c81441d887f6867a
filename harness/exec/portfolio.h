// SPDX-License-Identifier: Apache-2.0
//
// portfolio: which strategy the next run is dealt to.
#ifndef CX_EXEC_PORTFOLIO_H
#define CX_EXEC_PORTFOLIO_H

#include <stdint.h>

#include "harness/exec/channel.h"
#include "harness/exec/record.h"

#define CX_PORTFOLIO_MEMBERS 8
#define CX_PORTFOLIO_OPENING 5 // runs

struct cx_portfolio {
    uint64_t opening[CX_PORTFOLIO_MEMBERS]; // chance of each of the first runs
    uint64_t weights[CX_PORTFOLIO_MEMBERS]; // of the other runs of this generation
    uint64_t runs[CX_PORTFOLIO_MEMBERS];    // so far, older ones counting less; and so the next two
    uint64_t cost[CX_PORTFOLIO_MEMBERS];
    uint64_t reward[CX_PORTFOLIO_MEMBERS];
    uint64_t seen[CX_COVERAGE_WORDS];
    int directed; // 1: directed runs take part
};

// What runs cost, in points: neither the number of jobs nor the machine matters.
uint64_t cx_portfolio_cost(uint64_t runs, uint64_t steps, uint64_t switches);

// `choices`: of the run in the default order, from which the cost of a run under each strategy is guessed.
void cx_portfolio_init(struct cx_portfolio *portfolio, uint64_t choices);
// The strategy of run `number` (from 1): the one at `place`, a fraction of 2^64, with all members side by side, each as
// wide as its chance.
uint32_t cx_portfolio_strategy(const struct cx_portfolio *portfolio, uint64_t number, uint64_t place);
// The depth of pct for a run with this seed.
uint32_t cx_portfolio_depth(uint64_t seed);
// A run is judged; it was the first to show `fresh` signatures.
void cx_portfolio_judge(struct cx_portfolio *portfolio, const struct cx_record *record, uint32_t fresh);
// A generation is over: the weights follow what it has brought. `directed`: there are races to bring together.
void cx_portfolio_generation(struct cx_portfolio *portfolio, int directed);

#endif
