// SPDX-License-Identifier: Apache-2.0
//
// compare: see compare.h.
#include "harness/gate/compare.h"

#include <stdio.h>

#include "harness/exec/clock.h"

uint64_t cx_gate_share_ns(uint64_t left_ns, uint64_t scenarios_left)
{
    uint64_t parts = 2 * CX_GATE_SIDES * (scenarios_left > 0 ? scenarios_left : 1);
    return left_ns / parts;
}

const char *cx_gate_incomparable(const struct cx_gate_compare *compare, const char *scenario)
{
    static const char *const absent[] = {"the baseline's runner does not have it", "the candidate's runner does not"};
    static const char *const apart[] = {"it does not apply to the baseline", "it does not apply to the candidate"};
    for (int at = CX_GATE_BASELINE; at < CX_GATE_SIDES; at++) {
        int applicable = 0;
        if (cx_gate_side_scenario(&compare->sides[at], scenario, &applicable) < 0) {
            return absent[at];
        }
        if (!applicable) {
            return apart[at];
        }
    }
    const struct cx_identity *left = compare->sides[CX_GATE_BASELINE].campaign.identity;
    const struct cx_identity *right = compare->sides[CX_GATE_CANDIDATE].campaign.identity;
    int same = left->gil_build == right->gil_build && left->tsan == right->tsan && left->debug == right->debug;
    return same ? NULL : "the builds differ in kind";
}

static uint64_t share_deadline(const struct cx_gate_compare *compare)
{
    if (compare->deadline_ns == CX_NO_DEADLINE) {
        return CX_NO_DEADLINE;
    }
    uint64_t now_ns = cx_clock_ns();
    uint64_t left_ns = compare->deadline_ns > now_ns ? compare->deadline_ns - now_ns : 0;
    return now_ns + cx_gate_share_ns(left_ns, compare->scenarios_left);
}

static void scenario_end_set(struct cx_gate_compare *compare)
{
    uint64_t now_ns = cx_clock_ns();
    uint64_t left_ns = compare->deadline_ns > now_ns ? compare->deadline_ns - now_ns : 0;
    compare->scenario_end_ns =
        compare->deadline_ns == CX_NO_DEADLINE ? 0 : now_ns + left_ns / (compare->scenarios_left + 1);
}

// Up to when a side plays the floor: the candidate, which comes first, must leave the baseline its half.
static uint64_t floor_end(const struct cx_gate_compare *compare, enum cx_gate_side side)
{
    uint64_t now_ns = cx_clock_ns();
    int halved = side == CX_GATE_CANDIDATE && compare->scenario_end_ns > now_ns;
    return halved ? now_ns + (compare->scenario_end_ns - now_ns) / 2 : compare->scenario_end_ns;
}

// The candidate first; the baseline then plays as many, or says how many it had the time for. Where --stop-at ends a
// side early, the other one has its own bounds.
static enum cx_status both_explore(struct cx_gate_compare *compare, struct cx_gate_result *result, uint32_t strategy,
                                   uint64_t run_first, uint64_t runs_max, struct cx_error *error)
{
    enum cx_status status = CX_OK;
    uint64_t runs = runs_max;
    for (int at = CX_GATE_CANDIDATE;
         at >= CX_GATE_BASELINE && status == CX_OK && result->verdict != CX_GATE_NOT_COMPARABLE; at--) {
        struct cx_gate_stint stint = {.scenario = result->scenario,
                                      .strategy = strategy,
                                      .run_first = run_first,
                                      .runs_floor = CX_GATE_RUNS_FLOOR,
                                      .floor_end_ns = floor_end(compare, (enum cx_gate_side)at),
                                      .runs_max = runs,
                                      .deadline_ns = share_deadline(compare),
                                      .cpu_ns_max = compare->options->cpu_ns_max,
                                      .stop_at = compare->stopping ? &compare->stop_at : NULL};
        status = cx_gate_side_explore(&compare->sides[at], &stint, error);
        result->runs[at] += stint.runs;
        result->cpu_ns[at] += stint.cpu_ns;
        if (!compare->stopping) {
            runs = stint.runs > 0 ? stint.runs : 1;
        }
        if (status == CX_OK && (stint.skipped || (stint.nothing && compare->sights.count == 0))) {
            result->verdict = CX_GATE_NOT_COMPARABLE;
            result->reason = stint.skipped ? "it skips itself here" : "nothing was explored";
        }
    }
    return status;
}

// Nobody knows whether the other side shows it, too.
static void not_followed(struct cx_gate_sight *sight, enum cx_gate_side side)
{
    sight->sides[side].confirmed = 0;
    if (sight->sides[side].doubt[0] == '\0') {
        snprintf(sight->sides[side].doubt, sizeof(sight->sides[side].doubt),
                 "the gate ended before it was played on the other side");
    }
}

// Follow on the other side what one side alone has seen, from this sight on. `status` is that of the exploring: what
// cannot be followed any more is not confirmed.
static enum cx_status one_sided_follow(struct cx_gate_compare *compare, const struct cx_gate_result *result,
                                       size_t from, enum cx_status status, struct cx_error *error)
{
    for (size_t i = from; i < compare->sights.count; i++) {
        enum cx_gate_side missing;
        if (!cx_gate_one_sided(&compare->sights.list[i], &missing)) {
            continue;
        }
        if (status == CX_OK) {
            status = cx_gate_side_follow(&compare->sides[missing], result->scenario, i, error);
        }
        if (status != CX_OK) {
            not_followed(&compare->sights.list[i], !missing);
        }
    }
    return status;
}

static const struct cx_gate_sight *one_sided_first(const struct cx_gate_compare *compare)
{
    enum cx_gate_side missing;
    for (size_t i = 0; i < compare->sights.count; i++) {
        if (cx_gate_one_sided(&compare->sights.list[i], &missing)) {
            return &compare->sights.list[i];
        }
    }
    return NULL;
}

// Count for the sights from `from` on how many of these runs have looked for them in vain.
static void missing_count(struct cx_gate_compare *compare, size_t from, size_t to, const uint64_t runs[CX_GATE_SIDES])
{
    for (size_t i = from; i < to; i++) {
        enum cx_gate_side missing;
        if (cx_gate_one_sided(&compare->sights.list[i], &missing)) {
            compare->sights.list[i].sides[missing].schedules += runs[missing];
        }
    }
}

// Note on which sides a known defect explains what has been seen.
static void sights_explain(struct cx_gate_compare *compare, const char *scenario)
{
    for (size_t i = 0; i < compare->sights.count; i++) {
        struct cx_gate_sight *sight = &compare->sights.list[i];
        for (int at = CX_GATE_BASELINE; at < CX_GATE_SIDES; at++) {
            const struct cx_campaign *campaign = &compare->sides[at].campaign;
            struct cx_known_match match =
                cx_known_find(&campaign->known, campaign->known_target, scenario, sight->signature.text);
            sight->sides[at].expected = match.entry != NULL && !match.regressed;
        }
    }
}

enum cx_status cx_gate_compare_first(struct cx_gate_compare *compare, struct cx_gate_result *result,
                                     struct cx_error *error)
{
    const struct cx_campaign_options *run = &compare->options->run;
    scenario_end_set(compare);
    enum cx_status status = both_explore(compare, result, run->strategy, 0, run->runs_max, error);
    status = one_sided_follow(compare, result, 0, status, error);
    const struct cx_gate_sight *alone = one_sided_first(compare);
    int late = compare->scenario_end_ns > 0 && cx_clock_ns() >= compare->scenario_end_ns;
    if (status == CX_OK && alone != NULL && compare->options->search_max > 0 && !late) {
        size_t known = compare->sights.count;
        status = both_explore(compare, result, alone->strategy, result->runs[CX_GATE_CANDIDATE],
                              compare->options->search_max, error);
        status = one_sided_follow(compare, result, known, status, error);
    }
    missing_count(compare, 0, compare->sights.count, result->runs);
    sights_explain(compare, result->scenario);
    return status;
}

enum cx_status cx_gate_compare_more(struct cx_gate_compare *compare, struct cx_gate_result *result,
                                    struct cx_error *error)
{
    const struct cx_campaign_options *run = &compare->options->run;
    size_t known = compare->sights.count;
    scenario_end_set(compare);
    uint64_t before[CX_GATE_SIDES] = {result->runs[CX_GATE_BASELINE], result->runs[CX_GATE_CANDIDATE]};
    enum cx_status status =
        both_explore(compare, result, run->strategy, before[CX_GATE_CANDIDATE], run->runs_max, error);
    status = one_sided_follow(compare, result, known, status, error);
    uint64_t more[CX_GATE_SIDES] = {result->runs[CX_GATE_BASELINE] - before[CX_GATE_BASELINE],
                                    result->runs[CX_GATE_CANDIDATE] - before[CX_GATE_CANDIDATE]};
    missing_count(compare, 0, known, more);
    missing_count(compare, known, compare->sights.count, result->runs);
    sights_explain(compare, result->scenario);
    return status;
}
