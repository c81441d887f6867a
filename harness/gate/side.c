// SPDX-License-Identifier: Apache-2.0
//
// side: see side.h.
#include "harness/gate/side.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/exec/canary.h"
#include "harness/exec/within.h"

enum cx_status cx_gate_side_open(struct cx_gate_target *target, const char *name, struct cx_error *error)
{
    enum cx_status status = cx_crew_start(&target->crew, name, NULL, target->campaign.options->jobs, 1, error);
    if (status != CX_OK) {
        return status;
    }
    cx_campaign_enter(&target->campaign, &target->crew, name);
    const struct cx_campaign_options *options = target->campaign.options;
    status = cx_within_resolve(&target->campaign.points, options->points_level, &options->within,
                               target->campaign.identity, 0, error);
    if (status != CX_OK) {
        return status;
    }
    uint32_t count = 0;
    const struct cx_scenario_info *scenarios = cx_worker_scenarios(target->crew.workers[0], &count);
    return cx_known_check(&target->campaign.known, target->campaign.known_target, scenarios, count, error);
}

void cx_gate_side_close(struct cx_gate_target *target)
{
    cx_crew_fini(&target->crew);
}

int32_t cx_gate_side_scenario(const struct cx_gate_target *target, const char *scenario, int *applicable)
{
    uint32_t count = 0;
    int32_t index = cx_worker_scenario_find(target->crew.workers[0], scenario);
    const struct cx_scenario_info *scenarios = cx_worker_scenarios(target->crew.workers[0], &count);
    *applicable = index >= 0 && scenarios[index].applicable;
    return index;
}

static void sight_plan(struct cx_gate_sight *sight, const struct cx_explore *explore, const struct cx_finding *finding,
                       const struct cx_record *record)
{
    sight->seed = finding->seed;
    // Runs that are directed at a race are the portfolio's.
    int member = finding->run != CX_RUN_DEFAULT && record->aim == NULL;
    sight->strategy = member ? record->dealt : explore->options->strategy;
    if (record->result == NULL || record->result->deviations_dropped) {
        return;
    }
    size_t bytes = record->result->deviations_count * sizeof(*sight->plan);
    sight->plan = malloc(bytes + 1);
    if (sight->plan != NULL && bytes > 0) {
        memcpy(sight->plan, record->deviations, bytes);
    }
    sight->plan_count = sight->plan != NULL ? record->result->deviations_count : 0;
    for (size_t i = 0; record->aim != NULL && i < record->aim->words.count; i++) {
        cx_names_append(&sight->aimed, record->aim->words.list[i]);
    }
}

static void on_finding(void *context, const struct cx_explore *explore, struct cx_finding *finding,
                       const struct cx_record *record)
{
    struct cx_gate_target *target = context;
    struct cx_known_match match = cx_known_find(&target->campaign.known, target->campaign.known_target,
                                                explore->options->scenario, finding->signature.text);
    struct cx_gate_sight *sight = cx_gate_sights_get(target->sights, &finding->signature);
    if (sight == NULL) {
        abort(); // a finding that is lost is worse than no verdict
    }
    if (!record->result->deviations_dropped) {
        cx_report_schedule_save(&target->campaign, explore, finding, record);
    }
    int seen = sight->sides[target->side].seen;
    int confirmed = finding->status == CX_FINDING_CONFIRMED;
    sight->sides[target->side].seen = 1;
    sight->sides[target->side].confirmed |= confirmed;
    if (!seen) {
        uint64_t run = finding->run == CX_RUN_DEFAULT ? explore->options->run_first : finding->run;
        sight->sides[target->side].schedules = run + 1;
        snprintf(sight->sides[target->side].schedule, PATH_MAX, "%s", finding->schedule_path);
        snprintf(sight->sides[target->side].doubt, sizeof(sight->sides[target->side].doubt), "%s", finding->divergence);
    }
    enum cx_outcome kind = finding->status == CX_FINDING_DIVERGED ? CX_OUTCOME_DIVERGED : finding->kind;
    snprintf(sight->kind, sizeof(sight->kind), "%s", cx_outcome_name(kind));
    if (match.entry != NULL && sight->known[0] == '\0') {
        snprintf(sight->known, sizeof(sight->known), "%s", match.entry->id);
        snprintf(sight->issue, sizeof(sight->issue), "%s", match.entry->issue);
    }
    if (sight->plan == NULL) {
        sight_plan(sight, explore, finding, record);
    }
}

static void on_message(void *context, const char *text)
{
    struct cx_gate_target *target = context;
    cx_live_clear(target->live);
    fprintf(stderr, "constrictor: %s\n", text);
}

static enum cx_status on_tick(void *context, const struct cx_explore *explore, struct cx_error *error)
{
    struct cx_gate_target *target = context;
    (void)error;
    if (cx_live_due(target->live)) {
        char line[400];
        snprintf(line, sizeof(line), "%s%s on %s: %" PRIu64 " runs, %zu signatures", target->progress,
                 explore->options->scenario, target->campaign.target, explore->totals.runs, explore->findings.count);
        cx_live_show(target->live, line);
    }
    return CX_OK;
}

static enum cx_status stint_play(struct cx_gate_target *target, struct cx_gate_stint *stint, struct cx_error *error)
{
    uint32_t count = 0;
    int applicable = 0;
    int32_t index = cx_gate_side_scenario(target, stint->scenario, &applicable);
    const struct cx_scenario_info info = cx_worker_scenarios(target->crew.workers[0], &count)[index];
    const struct cx_campaign_options *options = target->campaign.options;
    const struct cx_explore_options explore_options = {
        .scenario = stint->scenario,
        .strategy = stint->strategy,
        .pct_depth = options->pct_depth,
        .preemptions_max = options->preemptions_max,
        .seed = options->seed,
        .run_first = stint->run_first,
        .runs_floor = stint->runs_floor,
        .floor_end_ns = stint->floor_end_ns,
        .runs_max = stint->runs_max,
        .deadline_ns = stint->deadline_ns,
        .cpu_ns_max = stint->cpu_ns_max,
        .stop_at = stint->stop_at,
        .rules = options->rules,
        .points = &target->campaign.points,
    };
    const struct cx_explore_observer observer = {
        .context = target, .finding = on_finding, .message = on_message, .tick = on_tick};
    struct cx_explore explore = {
        .options = &explore_options,
        .observer = &observer,
        .resolver = &target->campaign.resolver,
        .crew = &target->crew,
        .scenario = (uint32_t)index,
        .expected = cx_explore_expected(info.expect),
    };
    enum cx_status status = cx_explore_run(&explore, error);
    enum cx_verdict verdict = cx_campaign_verdict(&explore, &info);
    stint->runs = explore.totals.runs;
    stint->cpu_ns = explore.totals.cpu_ns;
    stint->stopped = explore.totals.stopped;
    stint->skipped = verdict == CX_VERDICT_SKIPPED;
    stint->nothing = verdict == CX_VERDICT_NOTHING || verdict == CX_VERDICT_NOTHING_DUE;
    snprintf(stint->error_text, sizeof(stint->error_text), "%s",
             explore.totals.runs_error > 0 ? explore.totals.error_text : "");
    cx_explore_fini(&explore);
    return status;
}

enum cx_status cx_gate_side_explore(struct cx_gate_target *target, struct cx_gate_stint *stint, struct cx_error *error)
{
    enum cx_status status = stint_play(target, stint, error);
    if (status == CX_OK && stint->error_text[0] != '\0') {
        return cx_error_set(error, CX_ERR_RUNNER, "%s on %s: %.400s", stint->scenario, target->campaign.target,
                            stint->error_text);
    }
    return status;
}

static enum cx_status on_canary(void *context, const struct cx_canary *canary, struct cx_error *error)
{
    struct cx_gate_target *target = context;
    target->canaries++;
    return canary->found
               ? CX_OK
               : cx_error_set(error, CX_ERR_ENVIRONMENT,
                              "%s on %s has not shown what it must, in %" PRIu64 " runs: this gate is not valid",
                              canary->scenario, target->campaign.target, canary->runs);
}

enum cx_status cx_gate_side_canaries(struct cx_gate_target *target, uint32_t *found, struct cx_error *error)
{
    const struct cx_explore_observer observer = {.context = target, .message = on_message, .tick = on_tick};
    target->canaries = 0;
    enum cx_status status = cx_canaries_play(&target->campaign, &target->crew, &observer, on_canary, error);
    *found = target->canaries;
    return status;
}

enum cx_status cx_gate_side_follow(struct cx_gate_target *target, const char *scenario, size_t sight,
                                   struct cx_error *error)
{
    struct cx_gate_sight *wanted = &target->sights->list[sight];
    struct cx_worker *worker = target->crew.workers[0];
    int applicable = 0;
    if (wanted->plan == NULL || wanted->plan_count > CX_DEVIATIONS_MAX) {
        return CX_OK;
    }
    struct cx_request *request = cx_worker_request(worker);
    request->scenario = (uint32_t)cx_gate_side_scenario(target, scenario, &applicable);
    request->strategy = CX_STRATEGY_REPLAY;
    request->seed = wanted->seed;
    request->points = target->campaign.points;
    enum cx_status status = CX_OK;
    if (wanted->aimed.count > 0) {
        status = cx_aim_elsewhere(&request->points, &wanted->aimed, target->campaign.identity, error);
    }
    if (status != CX_OK) {
        return status;
    }
    request->plan_count = (uint32_t)wanted->plan_count;
    memcpy(cx_worker_plan(worker), wanted->plan, wanted->plan_count * sizeof(*wanted->plan));
    status = cx_worker_play(worker, error);
    if (status == CX_ERR_RUNNER) {
        return cx_worker_restart(worker, error); // nothing was seen; the other schedules go on looking
    }
    struct cx_symptoms *symptoms = calloc(1, sizeof(*symptoms));
    if (symptoms == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    if (status == CX_OK) {
        cx_symptoms_find(cx_worker_result(worker), &target->campaign.resolver, symptoms);
        int seen = cx_symptoms_have(symptoms, wanted->signature.id);
        wanted->sides[target->side].schedules++;
        wanted->sides[target->side].seen = seen;
        wanted->sides[target->side].confirmed = seen;
    }
    free(symptoms);
    return status;
}
