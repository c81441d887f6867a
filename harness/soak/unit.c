// SPDX-License-Identifier: Apache-2.0
//
// unit: see work.h. One unit is what `constrictor run SCENARIO --target T --strategy S --seed N --runs N` plays, and
// its findings are filed in the same form; a signature that an earlier unit has filed is only counted.
#include <stdio.h>
#include <string.h>

#include "harness/detect/symbolizer.h"
#include "harness/exec/clock.h"
#include "harness/exec/interrupt.h"
#include "harness/exec/portfolio.h"
#include "harness/exec/within.h"
#include "harness/options.h"
#include "harness/soak/work.h"

#define CX_FAILURES_MAX 3 // units in a row that do not start: it is not by chance

static void on_finding(void *context, const struct cx_explore *explore, struct cx_finding *finding,
                       const struct cx_record *record)
{
    struct cx_soak *soak = context;
    cx_campaign_know(&soak->campaign, explore, finding);
    if (cx_ledger_filed(&soak->ledger, soak->campaign.target, explore->options->scenario, finding)) {
        return;
    }
    cx_report_finding(&soak->campaign, explore, finding, record);
    if (finding->schedule_path[0] == '\0' && !record->result->deviations_dropped) {
        snprintf(soak->stop, sizeof(soak->stop), "a schedule could not be written below %.300s",
                 soak->options->run.out_dir);
    }
}

static void on_message(void *context, const char *text)
{
    struct cx_soak *soak = context;
    cx_live_clear(&soak->campaign.live);
    fprintf(stderr, "constrictor: %s\n", text);
}

static enum cx_status on_tick(void *context, const struct cx_explore *explore, struct cx_error *error)
{
    struct cx_soak *soak = context;
    (void)error; // what ends a soak ends the unit by its deadline
    soak->unit_runs = soak->scenario != NULL ? explore->totals.runs : 0; // else a canary's
    cx_soak_watch(soak);
    return CX_OK;
}

static const struct cx_explore_observer *observer_of(struct cx_soak *soak, struct cx_explore_observer *observer)
{
    *observer =
        (struct cx_explore_observer){.context = soak, .finding = on_finding, .message = on_message, .tick = on_tick};
    return observer;
}

enum cx_status cx_soak_target(struct cx_soak *soak, const char *target, struct cx_error *error)
{
    const struct cx_campaign_options *run = &soak->options->run;
    if (soak->crew_target != NULL && strcmp(soak->crew_target, target) == 0) {
        return CX_OK;
    }
    cx_crew_fini(&soak->crew);
    soak->crew_target = NULL;
    enum cx_status status = cx_crew_start(&soak->crew, target, NULL, run->jobs, 1, error);
    if (status == CX_OK) {
        cx_campaign_enter(&soak->campaign, &soak->crew, target);
        status = cx_within_resolve(&soak->campaign.points, run->points_level, &run->within, soak->campaign.identity, 0,
                                   error);
    }
    soak->crew_target = status == CX_OK ? target : NULL;
    return status;
}

// Keep a whole unit.
static void unit_keep(struct cx_soak *soak, const struct cx_soak_unit *unit, const struct cx_explore *explore,
                      enum cx_verdict verdict)
{
    struct cx_ledger_unit kept = {
        .plan = *unit,
        .target = soak->campaign.target,
        .scenario = explore->options->scenario,
        .strategy = cx_strategy_name(explore->options->strategy),
        .cost = cx_portfolio_cost(explore->totals.runs, explore->totals.steps, explore->totals.switches),
        .spent_ms = cx_soak_spent_ms(soak),
    };
    cx_ledger_unit(&soak->ledger, &kept, &explore->findings,
                   cx_report_totals(&soak->campaign, explore, cx_verdict_name(verdict)));
    cx_soak_plan_judge(&soak->plan, kept.fresh, kept.cost);
    soak->runs += explore->totals.runs;
    // What the ledger counts now, a unit that was cut short may have filed before.
    soak->campaign.findings = json_object_size(soak->ledger.signatures);
    soak->campaign.findings_unexpected = cx_ledger_unexpected(&soak->ledger);
}

static void explore_describe(struct cx_soak *soak, const struct cx_soak_unit *unit)
{
    struct cx_campaign_options *run = &soak->options->run;
    run->strategy = soak->options->strategies[unit->strategy];
    run->seed = unit->seed;
    soak->scenario = soak->places[unit->place].scenario;
    soak->state = "exploring";
    soak->unit_runs = 0;
    soak->explore_options = (struct cx_explore_options){
        .scenario = soak->scenario,
        .strategy = run->strategy,
        .pct_depth = run->pct_depth,
        .preemptions_max = run->preemptions_max,
        .seed = unit->seed,
        .runs_max = run->runs_max,
        .deadline_ns = soak->deadline_ns,
        .rules = run->rules,
        .points = &soak->campaign.points,
    };
}

// Runners that are lost, and runs that fail to start, are the machine's: the next unit may have more luck, and one that
// was not kept is played again. Several in a row end the soak.
static enum cx_status failures_count(struct cx_soak *soak, const struct cx_explore *explore, enum cx_status status,
                                     struct cx_error *error)
{
    if (status == CX_OK && explore->totals.runs_error == 0) {
        soak->failures = 0;
        return CX_OK;
    }
    if (status != CX_OK && status != CX_ERR_RUNNER) {
        return status;
    }
    char reason[320];
    snprintf(reason, sizeof(reason), "%.300s", status != CX_OK ? error->text : explore->totals.error_text);
    if (++soak->failures >= CX_FAILURES_MAX) {
        return cx_error_set(error, CX_ERR_RUNNER, "%d units in a row failed, the last one %s on %s: %s",
                            CX_FAILURES_MAX, explore->options->scenario, soak->campaign.target, reason);
    }
    on_message(soak, reason);
    cx_crew_fini(&soak->crew);
    soak->crew_target = NULL;
    return CX_OK;
}

enum cx_status cx_soak_unit(struct cx_soak *soak, struct cx_error *error)
{
    struct cx_soak_unit unit = cx_soak_plan_next(&soak->plan);
    struct cx_explore_observer observer;
    uint32_t count = 0;
    enum cx_status status = cx_soak_target(soak, soak->places[unit.place].target, error);
    if (status != CX_OK) {
        return status;
    }
    int32_t index = cx_worker_scenario_find(soak->crew.workers[0], soak->places[unit.place].scenario);
    const struct cx_scenario_info info = cx_worker_scenarios(soak->crew.workers[0], &count)[index];
    explore_describe(soak, &unit);
    struct cx_explore explore = {
        .options = &soak->explore_options,
        .observer = observer_of(soak, &observer),
        .resolver = &soak->campaign.resolver,
        .crew = &soak->crew,
        .scenario = (uint32_t)index,
        .expected = cx_explore_expected(info.expect),
    };
    status = cx_explore_run(&explore, error);
    int whole = status == CX_OK && explore.totals.runs >= soak->explore_options.runs_max && soak->stop[0] == '\0';
    if (whole) {
        unit_keep(soak, &unit, &explore, cx_campaign_verdict(&explore, &info));
    }
    status = failures_count(soak, &explore, status, error);
    soak->scenario = NULL;
    soak->unit_runs = 0;
    cx_explore_fini(&explore);
    cx_symbolizer_bound(soak->campaign.symbolizer);
    return status;
}

static enum cx_status on_canary(void *context, const struct cx_canary *canary, struct cx_error *error)
{
    struct cx_soak *soak = context;
    cx_ledger_canary(&soak->ledger, soak->campaign.target, canary, cx_soak_spent_ms(soak));
    if (canary->found) {
        return cx_soak_stopped(soak, error);
    }
    snprintf(soak->ledger.invalid, sizeof(soak->ledger.invalid),
             "%s on %s has not shown what it must, in %llu runs: this soak is not valid", canary->scenario,
             soak->campaign.target, (unsigned long long)canary->runs);
    cx_ledger_keep(&soak->ledger, cx_soak_spent_ms(soak));
    return cx_error_set(error, CX_ERR_INVALID, "%s", soak->ledger.invalid);
}

enum cx_status cx_soak_canaries(struct cx_soak *soak, struct cx_error *error)
{
    struct cx_explore_observer observer;
    const struct cx_names *targets = &soak->options->run.targets;
    enum cx_status status = CX_OK;
    soak->state = "canaries";
    soak->options->run.seed = soak->seed;
    observer_of(soak, &observer);
    // The target whose runners are there first.
    size_t first = 0;
    while (first < targets->count && soak->crew_target != NULL &&
           strcmp(targets->list[first], soak->crew_target) != 0) {
        first++;
    }
    for (size_t i = 0; i < targets->count && status == CX_OK; i++) {
        status = cx_interrupted() ? cx_error_set(error, CX_ERR_INTERRUPTED, "interrupted")
                                  : cx_soak_target(soak, targets->list[(first + i) % targets->count], error);
        if (status == CX_OK) {
            status = cx_canaries_play(&soak->campaign, &soak->crew, &observer, on_canary, error);
        }
    }
    if (status == CX_OK) {
        soak->ledger.passes++;
        soak->ledger.canary_ms = cx_clock_unix_ms();
        soak->canary_due_ns = cx_clock_ns() + soak->options->canary_ns;
    }
    soak->unit_runs = 0;
    return status;
}
