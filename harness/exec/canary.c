// SPDX-License-Identifier: Apache-2.0
//
// canary: see canary.h.
#include "harness/exec/canary.h"

#include <stdio.h>
#include <string.h>

#include "harness/exec/clock.h"
#include "harness/scenario.h"

#define CX_CANARY_FOLDER "canary/"
#define CX_CANARY_RUNS 200u
#define CX_CANARY_RUNS_EXHAUSTIVE 2000u // for those that sampling does not find

int cx_canary_is(const char *scenario)
{
    return strncmp(scenario, CX_CANARY_FOLDER, strlen(CX_CANARY_FOLDER)) == 0;
}

static void on_finding(void *context, const struct cx_explore *explore, struct cx_finding *finding,
                       const struct cx_record *record)
{
    (void)context, (void)explore, (void)finding, (void)record; // the verdict looks at all of them together
}

static enum cx_status canary_explore(const struct cx_campaign *campaign, struct cx_crew *crew, uint32_t index,
                                     const struct cx_explore_options *options,
                                     const struct cx_explore_observer *observer, struct cx_canary *canary,
                                     struct cx_error *error)
{
    uint32_t count = 0;
    const struct cx_scenario_info info = cx_worker_scenarios(crew->workers[0], &count)[index];
    struct cx_explore explore = {
        .options = options,
        .observer = observer,
        .resolver = &campaign->resolver,
        .crew = crew,
        .scenario = index,
        .expected = cx_explore_expected(info.expect),
    };
    enum cx_status status = cx_explore_run(&explore, error);
    enum cx_verdict verdict = cx_campaign_verdict(&explore, &info);
    canary->found = verdict == CX_VERDICT_PASS || verdict == CX_VERDICT_NOTHING_DUE;
    canary->runs += explore.totals.runs;
    if (status == CX_OK && verdict == CX_VERDICT_ERROR) {
        status = cx_error_set(error, CX_ERR_RUNNER, "%s on %s: %.400s", info.name, campaign->target,
                              explore.totals.error_text);
    }
    cx_explore_fini(&explore);
    return status;
}

static enum cx_status canary_play(const struct cx_campaign *campaign, struct cx_crew *crew, uint32_t index,
                                  const struct cx_explore_observer *observer, struct cx_canary *canary,
                                  struct cx_error *error)
{
    const struct cx_campaign_options *run = campaign->options;
    struct cx_explore_options options = {
        .scenario = canary->scenario,
        .strategy = CX_STRATEGY_PORTFOLIO,
        .pct_depth = run->pct_depth,
        .preemptions_max = run->preemptions_max,
        .seed = run->seed,
        .runs_max = CX_CANARY_RUNS,
        .deadline_ns = CX_NO_DEADLINE,
        .findings_max = 1,
        .rules = run->rules,
        .points = &campaign->points,
    };
    enum cx_status status = canary_explore(campaign, crew, index, &options, observer, canary, error);
    if (status == CX_OK && !canary->found) {
        options.strategy = CX_STRATEGY_EXHAUSTIVE;
        options.runs_max = CX_CANARY_RUNS_EXHAUSTIVE;
        status = canary_explore(campaign, crew, index, &options, observer, canary, error);
    }
    return status;
}

// Which scenarios of a target are its canaries: the bits of `kinds` are the expectations that have one already.
static int canary_selected(const struct cx_scenario_info *info, int folder, uint32_t *kinds)
{
    uint32_t wanted = 1U << CX_EXPECT_CRASH | 1U << CX_EXPECT_DEADLOCK | 1U << CX_EXPECT_RACE;
    if (!info->applicable) {
        return 0;
    }
    if (folder) {
        return cx_canary_is(info->name);
    }
    uint32_t kind = 1U << info->expect;
    int selected = (kind & wanted & ~*kinds) != 0;
    *kinds |= kind;
    return selected;
}

enum cx_status
cx_canaries_play(const struct cx_campaign *campaign, struct cx_crew *crew, const struct cx_explore_observer *observer,
                 enum cx_status (*told)(void *context, const struct cx_canary *canary, struct cx_error *error),
                 struct cx_error *error)
{
    const struct cx_explore_observer quiet = {observer->context, on_finding, observer->message, observer->tick};
    enum cx_status status = CX_OK;
    uint32_t count = 0;
    uint32_t kinds = 0;
    uint32_t played = 0;
    int folder = 0;
    const struct cx_scenario_info *scenarios = cx_worker_scenarios(crew->workers[0], &count);
    for (uint32_t i = 0; i < count; i++) {
        folder |= cx_canary_is(scenarios[i].name) && scenarios[i].applicable;
    }
    for (uint32_t i = 0; i < count && status == CX_OK; i++) {
        // The crew may replace the list when it restarts a worker.
        const struct cx_scenario_info info = cx_worker_scenarios(crew->workers[0], &count)[i];
        if (!canary_selected(&info, folder, &kinds)) {
            continue;
        }
        struct cx_canary canary = {.scenario = info.name};
        status = canary_play(campaign, crew, i, &quiet, &canary, error);
        if (status == CX_OK) {
            status = told(observer->context, &canary, error);
        }
        played++;
    }
    if (status == CX_OK && played == 0) {
        return cx_error_set(error, CX_ERR_NOTHING, "%s has no canary: nobody knows whether failures are seen there",
                            campaign->target);
    }
    return status;
}
