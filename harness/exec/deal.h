// SPDX-License-Identifier: Apache-2.0
//
// deal: what each run of an exploration is to be: strategy, seed, plan.
//
// Strategies that live in the runner alone get one request after the other. Those that learn from runs (feedback,
// portfolio, exhaustive) do so in generations: what run n is depends on the runs of the generations before its own,
// judged in order, and on nothing else. So the same command deals the same runs, whatever the number of jobs. A request
// can be asked for again, until the generation after its own has begun.
#ifndef CX_EXEC_DEAL_H
#define CX_EXEC_DEAL_H

#include <stddef.h>
#include <stdint.h>

#include "harness/exec/channel.h"
#include "harness/exec/record.h"

struct cx_deal;

struct cx_deal_options {
    uint32_t strategy;
    uint32_t pct_depth;
    uint32_t preemptions_max; // of exhaustive
    uint64_t seed;            // of the whole exploration
    uint64_t run_first;       // campaign's number of run 1
};

// 1 if what a run is depends on the runs before it.
int cx_deal_learns(uint32_t strategy);

// Returns NULL without memory. The caller frees it with cx_deal_free(); NULL is allowed there.
struct cx_deal *cx_deal_new(const struct cx_deal_options *options);
void cx_deal_free(struct cx_deal *deal);

// 1 if run `number` (0: the run in the default order, from which the rest learns) can be dealt now: all runs that it
// depends on are judged.
int cx_deal_ready(const struct cx_deal *deal, uint64_t number);
// Fill in strategy, mode, seed and what belongs to them. `seed` is the run's own; `plan` has room for
// CX_DEVIATIONS_MAX deviations.
void cx_deal_request(const struct cx_deal *deal, uint64_t number, uint64_t seed, struct cx_request *request,
                     struct cx_deviation *plan);
// Learn from run `number`. Runs come in order. `fresh`: signatures that it was the first to show.
void cx_deal_judge(struct cx_deal *deal, uint64_t number, const struct cx_record *record, uint32_t fresh);
// 1 if the deal has use for one more race to direct runs at.
int cx_deal_wants_aims(const struct cx_deal *deal);
// Runs of generations to come may be directed at this race, which the run that is judged next has shown. Takes it over,
// unless it fails.
enum cx_status cx_deal_aim(struct cx_deal *deal, struct cx_aim *aim, struct cx_error *error);
// The points of run `number`, for runs that can be asked for, if it is directed at a race; else NULL. Valid as long as
// the deal.
const struct cx_aim *cx_deal_aim_of(const struct cx_deal *deal, uint64_t number);
// 1 if there is nothing left to deal, and never will be.
int cx_deal_over(const struct cx_deal *deal);
// What has been shown about all schedules, in one sentence; empty for strategies that show nothing of the kind.
void cx_deal_text(const struct cx_deal *deal, char *text, size_t text_bytes);
// The strategy that run `number` was dealt to, for runs that can be asked for.
uint32_t cx_deal_strategy(const struct cx_deal *deal, uint64_t number);

#endif
