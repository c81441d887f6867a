// SPDX-License-Identifier: Apache-2.0
//
// deal: see deal.h.
#include "harness/exec/deal.h"

#include <stdlib.h>
#include <string.h>

#include "harness/exec/exhaustive.h"
#include "harness/exec/feedback.h"
#include "harness/exec/portfolio.h"
#include "harness/exec/profile.h"
#include "harness/exec/seed.h"

#define AIMS_MAX 64
#define GENERATION 64 // runs: enough to keep a crew busy between two meetings, few enough to learn from soon
#define LENGTHS_MIN 8 // runs that say something about the others of their kind

// What most runs of one kind are shorter than. A few are many times as long as the rest, where a thread waits for
// another one in a loop: a mean would be about these.
struct cx_lengths {
    uint64_t expected;         // a quarter above the upper quartile; 0: nothing learned yet
    uint64_t count;            // runs ever
    uint64_t seen[GENERATION]; // the last ones, each at its number modulo that
};

struct cx_deal {
    struct cx_deal_options options;
    uint64_t next_judge;
    uint64_t choices_default;    // of the run in the default order
    uint64_t choices_expected;   // moving estimate, of the generations before this one
    uint64_t choices_sum;        // of this generation
    struct cx_lengths points[2]; // of the longest thread but main of each run: undirected, directed
    struct cx_profile_table profile;
    struct cx_feedback feedback;
    struct cx_portfolio portfolio;
    struct cx_exhaustive exhaustive;
    struct cx_aim *aims[AIMS_MAX]; // owned
    uint32_t aims_count;
    uint32_t aims_dealt;  // of them, those of the generations before this one
    uint64_t batch_first; // exhaustive: number of the first run of this generation
    uint32_t batch_count;
    struct cx_prefix *batch[GENERATION]; // owned
};

int cx_deal_learns(uint32_t strategy)
{
    return strategy == CX_STRATEGY_FEEDBACK || strategy == CX_STRATEGY_PORTFOLIO || strategy == CX_STRATEGY_EXHAUSTIVE;
}

static int learns(const struct cx_deal *deal)
{
    return cx_deal_learns(deal->options.strategy);
}

static int exhaustive(const struct cx_deal *deal)
{
    return deal->options.strategy == CX_STRATEGY_EXHAUSTIVE;
}

static void batch_free(struct cx_deal *deal)
{
    for (uint32_t i = 0; i < deal->batch_count; i++) {
        free(deal->batch[i]);
    }
    deal->batch_count = 0;
}

struct cx_deal *cx_deal_new(const struct cx_deal_options *options)
{
    struct cx_deal *deal = calloc(1, sizeof(*deal));
    if (deal != NULL) {
        deal->options = *options;
        deal->exhaustive.preemptions_max = options->preemptions_max;
    }
    return deal;
}

void cx_deal_free(struct cx_deal *deal)
{
    if (deal == NULL) {
        return;
    }
    cx_profile_fini(&deal->profile);
    cx_feedback_fini(&deal->feedback);
    cx_exhaustive_fini(&deal->exhaustive);
    batch_free(deal);
    for (uint32_t i = 0; i < deal->aims_count; i++) {
        cx_aim_fini(deal->aims[i]);
        free(deal->aims[i]);
    }
    free(deal);
}

int cx_deal_wants_aims(const struct cx_deal *deal)
{
    return deal->options.strategy == CX_STRATEGY_PORTFOLIO && deal->aims_count < AIMS_MAX;
}

enum cx_status cx_deal_aim(struct cx_deal *deal, struct cx_aim *aim, struct cx_error *error)
{
    enum cx_status status = CX_OK;
    if (deal->aims_count > 0) {
        status = cx_aim_join(aim, deal->aims[deal->aims_count - 1], error);
    }
    if (status == CX_OK) {
        deal->aims[deal->aims_count++] = aim;
    }
    return status;
}

static uint64_t generation_start(uint64_t number)
{
    return number == 0 ? 0 : (number - 1) / GENERATION * GENERATION + 1;
}

int cx_deal_ready(const struct cx_deal *deal, uint64_t number)
{
    if (number == 0 || deal->options.strategy == CX_STRATEGY_NATIVE) {
        return 1;
    }
    if (exhaustive(deal)) {
        return number < deal->batch_first + deal->batch_count;
    }
    return deal->next_judge >= (learns(deal) ? generation_start(number) : 1);
}

// Run after run, where a draw falls in [0, 2^64), in one of three dimensions. Not at random: multiples of the inverse
// powers of the plastic number fill the square more evenly than draws do (Roberts' R2 sequence), so that no member and
// no object waits for long by bad luck; those of the golden ratio fill the line of all interleavings (strategy_surw.c).
static uint64_t place_of(const struct cx_deal *deal, uint64_t number, uint32_t dimension)
{
    static const uint64_t strides[3] = {0xc13fa9a902a6328fULL, 0x91e10da5c79e7b1dULL, 0x9e3779b97f4a7c15ULL};
    return cx_mix(deal->options.seed + dimension) + (deal->options.run_first + number) * strides[dimension];
}

uint32_t cx_deal_strategy(const struct cx_deal *deal, uint64_t number)
{
    if (number == 0 || exhaustive(deal)) {
        return CX_STRATEGY_REPLAY; // without a plan: the default order
    }
    if (deal->options.strategy == CX_STRATEGY_PORTFOLIO) {
        return cx_portfolio_strategy(&deal->portfolio, number, place_of(deal, number, 0));
    }
    return deal->options.strategy;
}

// The youngest has the points of all.
const struct cx_aim *cx_deal_aim_of(const struct cx_deal *deal, uint64_t number)
{
    return cx_deal_strategy(deal, number) == CX_STRATEGY_RACE ? deal->aims[deal->aims_dealt - 1] : NULL;
}

static void aim_request(const struct cx_deal *deal, uint64_t number, struct cx_request *request)
{
    // Which of the races, and which of its two accesses first.
    uint64_t turn = cx_mix(place_of(deal, number, 2)) % (2 * (uint64_t)deal->aims_dealt);
    request->points = cx_deal_aim_of(deal, number)->points;
    request->race = deal->aims[turn / 2]->race;
    request->race.first = (uint32_t)(turn % 2);
    // Change points lie anywhere in a run, most of them before what the race is about, and whoever was stopped there on
    // purpose goes on. Half of these runs have none.
    if (cx_mix(request->seed ^ CX_STRATEGY_RACE) % 2 == 0) {
        request->pct_depth = 1;
    }
}

void cx_deal_request(const struct cx_deal *deal, uint64_t number, uint64_t seed, struct cx_request *request,
                     struct cx_deviation *plan)
{
    request->seed = seed;
    request->strategy = cx_deal_strategy(deal, number);
    request->pct_depth = deal->options.pct_depth;
    request->choices_expected = learns(deal) ? deal->choices_expected : deal->choices_default;
    if (number == 0 || exhaustive(deal)) {
        request->mode = CX_MODE_TRACE;
        const struct cx_prefix *prefix = number == 0 ? NULL : deal->batch[number - deal->batch_first];
        for (uint32_t i = 0; prefix != NULL && i < prefix->count && i < CX_DEVIATIONS_MAX; i++) {
            plan[request->plan_count++] = prefix->steps[i].deviation;
        }
        return;
    }
    if (request->strategy == CX_STRATEGY_FEEDBACK) {
        cx_feedback_request(&deal->feedback, &deal->profile, seed, request, plan);
    } else if (deal->options.strategy == CX_STRATEGY_PORTFOLIO) {
        request->pct_depth = cx_portfolio_depth(seed);
        int directed = request->strategy == CX_STRATEGY_RACE && deal->points[1].expected > 0;
        const struct cx_lengths *points = &deal->points[directed];
        request->points_expected = cx_mix(seed) % 8 != 0 ? points->expected : 0;
        // A run is short of choices where threads end early. Where they are stopped on their way it is as long as main.
        int stops = request->strategy == CX_STRATEGY_PCT || request->strategy == CX_STRATEGY_RACE;
        if (stops && request->points_expected > 0 && request->choices_expected < deal->choices_default) {
            request->choices_expected = deal->choices_default;
        }
    }
    if (request->strategy == CX_STRATEGY_RACE) {
        aim_request(deal, number, request);
    }
    request->place = place_of(deal, number, 2);
    cx_profile_request(&deal->profile, place_of(deal, number, 1), request);
}

static int compare(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one;
    uint64_t b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

static void lengths_learn(struct cx_lengths *lengths)
{
    uint64_t sorted[GENERATION];
    uint64_t count = lengths->count < GENERATION ? lengths->count : GENERATION;
    memcpy(sorted, lengths->seen, sizeof(sorted));
    if (count >= LENGTHS_MIN) {
        qsort(sorted, count, sizeof(sorted[0]), compare);
        lengths->expected = sorted[count * 3 / 4] * 5 / 4;
    }
}

static void learn(struct cx_deal *deal, uint64_t number, const struct cx_record *record, uint32_t fresh)
{
    uint64_t place = (number - 1) % GENERATION;
    deal->choices_sum = (place == 0 ? 0 : deal->choices_sum) + record->choices;
    struct cx_lengths *points = &deal->points[record->dealt == CX_STRATEGY_RACE];
    points->seen[points->count++ % GENERATION] = record->points_max;
    cx_feedback_judge(&deal->feedback, record);
    cx_portfolio_judge(&deal->portfolio, record, fresh);
    if (place == GENERATION - 1) {
        deal->choices_expected = (deal->choices_expected + deal->choices_sum / GENERATION + 1) / 2;
        lengths_learn(&deal->points[0]);
        lengths_learn(&deal->points[1]);
        cx_feedback_generation(&deal->feedback);
        deal->aims_dealt = deal->aims_count;
        cx_portfolio_generation(&deal->portfolio, deal->aims_dealt > 0);
    }
}

// Once all of a generation is judged, the next one is taken from what is still to be played.
static void search(struct cx_deal *deal, uint64_t number, const struct cx_record *record)
{
    const struct cx_trace trace = {record->trace, record->trace_count, record->trace_dropped || record->trace == NULL,
                                   record->trace_threads, record->trace_threads_count};
    const struct cx_prefix *prefix = number == 0 ? NULL : deal->batch[number - deal->batch_first];
    cx_exhaustive_judge(&deal->exhaustive, prefix, &trace);
    if (number > 0 && number + 1 < deal->batch_first + deal->batch_count) {
        return;
    }
    batch_free(deal);
    deal->batch_first = number + 1;
    while (deal->batch_count < GENERATION) {
        struct cx_prefix *next = cx_exhaustive_next(&deal->exhaustive);
        if (next == NULL) {
            break;
        }
        deal->batch[deal->batch_count++] = next;
    }
}

int cx_deal_over(const struct cx_deal *deal)
{
    return exhaustive(deal) && deal->batch_first > 0 && deal->batch_count == 0;
}

void cx_deal_text(const struct cx_deal *deal, char *text, size_t text_bytes)
{
    text[0] = '\0';
    if (exhaustive(deal)) {
        cx_exhaustive_text(&deal->exhaustive, cx_deal_over(deal), text, text_bytes);
    }
}

void cx_deal_judge(struct cx_deal *deal, uint64_t number, const struct cx_record *record, uint32_t fresh)
{
    deal->next_judge = number + 1;
    if (number == 0) {
        deal->choices_default = deal->choices_expected = record->choices;
        cx_profile_learn(&deal->profile, record);
        cx_portfolio_init(&deal->portfolio, record->choices);
    }
    if (exhaustive(deal)) {
        search(deal, number, record);
    } else if (number > 0 && learns(deal)) {
        learn(deal, number, record, fresh);
    }
}
