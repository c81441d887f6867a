// SPDX-License-Identifier: Apache-2.0
//
// soak: see soak.h. Beginning, going on, and the end.
#include "harness/soak/soak.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/exec/clock.h"
#include "harness/exec/interrupt.h"
#include "harness/exec/jsonl.h"
#include "harness/exec/seed.h"
#include "harness/exec/targets.h"
#include "harness/options.h"
#include "harness/soak/work.h"

#define CX_BLOCK_MAPPED_BYTES (128 << 10)

static json_t *names_json(const struct cx_names *names)
{
    json_t *list = json_array();
    for (size_t i = 0; i < names->count; i++) {
        json_array_append_new(list, json_string(names->list[i]));
    }
    return list;
}

static void names_restore(struct cx_names *names, const json_t *list)
{
    cx_names_fini(names);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        cx_names_append(names, text != NULL ? text : "");
    }
}

// What makes it this soak and no other. The builds are added when their runners have said which they are.
static json_t *asked_json(const struct cx_soak_options *options)
{
    const struct cx_campaign_options *run = &options->run;
    json_t *strategies = json_array();
    for (uint32_t i = 0; i < options->strategies_count; i++) {
        json_array_append_new(strategies, json_string(cx_strategy_name(options->strategies[i])));
    }
    json_t *asked = json_pack("{s:o, s:o, s:o, s:o, s:I, s:o}", "targets", names_json(&run->targets), "scenarios",
                              names_json(&run->patterns), "strategies", strategies, "seed", cx_jsonl_hex(run->seed),
                              "runs", (json_int_t)run->runs_max, "builds", json_array());
    if (run->shard.total > 0) {
        json_object_set_new(asked, "shard", json_sprintf("%u/%u", run->shard.index + 1, run->shard.total));
    }
    return asked;
}

static enum cx_status differs(const struct cx_soak *soak, const char *what, struct cx_error *error)
{
    const char *folder = soak->options->run.out_dir;
    return cx_error_set(error, CX_ERR_USAGE,
                        "%s has a soak of other %s: `constrictor soak --out %s` goes on with that one, another folder "
                        "begins a new one",
                        folder, what, folder);
}

// What the user has said must be what the soak was begun with; the rest is taken from there.
static enum cx_status asked_restore(struct cx_soak *soak, struct cx_error *error)
{
    struct cx_soak_options *options = soak->options;
    struct cx_campaign_options *run = &options->run;
    const json_t *asked = soak->ledger.asked;
    enum cx_status status = CX_OK;
    json_t *given = asked_json(options);
    const struct {
        const char *name;
        int said;
    } parts[] = {{"targets", run->targets.count > 0},
                 {"scenarios", run->patterns.count > 0},
                 {"strategies", options->strategies_count > 0},
                 {"seed", options->seed_given},
                 {"runs", options->runs_given},
                 {"shard", run->shard_given || run->shard.total > 0}};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && status == CX_OK; i++) {
        const json_t *old = json_object_get(asked, parts[i].name);
        const json_t *now = json_object_get(given, parts[i].name);
        if (parts[i].said && old != now && !json_equal(old, now)) { // NULL, both: no shard
            status = differs(soak, parts[i].name, error);
        }
    }
    json_decref(given);
    if (status != CX_OK) {
        return status;
    }
    const char *seed = json_string_value(json_object_get(asked, "seed"));
    names_restore(&run->targets, json_object_get(asked, "targets"));
    names_restore(&run->patterns, json_object_get(asked, "scenarios"));
    run->seed = seed != NULL ? strtoull(seed, NULL, 16) : 0;
    run->runs_max = (uint64_t)json_integer_value(json_object_get(asked, "runs"));
    const char *shard = json_string_value(json_object_get(asked, "shard"));
    if (shard != NULL) {
        status = cx_shard_parse(shard, &run->shard, error);
    }
    const json_t *strategies = json_object_get(asked, "strategies");
    options->strategies_count = 0;
    for (size_t i = 0; i < json_array_size(strategies) && i < CX_SOAK_STRATEGIES_MAX && status == CX_OK; i++) {
        status = cx_option_strategy(json_string_value(json_array_get(strategies, i)),
                                    &options->strategies[options->strategies_count++], error);
    }
    if (!options->bounds_given) {
        options->units_max = soak->ledger.units_max;
        run->time_max_ns = soak->ledger.time_max_ms * CX_NS_PER_MS;
    }
    return status;
}

static enum cx_status fresh_begin(struct cx_soak *soak, struct cx_error *error)
{
    struct cx_soak_options *options = soak->options;
    struct cx_campaign_options *run = &options->run;
    if (run->targets.count == 0) {
        return cx_error_set(error, CX_ERR_USAGE, "--target is missing, and %s has no soak to go on with", run->out_dir);
    }
    if (run->patterns.count == 0) {
        cx_names_append(&run->patterns, "all");
    }
    if (options->strategies_count == 0) {
        // These cost little on long programs; what switches at every operation is left to the portfolio, which knows
        // what that costs.
        options->strategies[options->strategies_count++] = CX_STRATEGY_PORTFOLIO;
        options->strategies[options->strategies_count++] = CX_STRATEGY_RANDOM;
        options->strategies[options->strategies_count++] = CX_STRATEGY_PCT;
    }
    soak->ledger.asked = asked_json(options);
    return CX_OK;
}

static enum cx_status store_open(struct cx_soak *soak, struct cx_error *error)
{
    struct cx_store *store = &soak->campaign.results.store;
    char path[PATH_MAX];
    struct stat about;
    int found = 0;
    snprintf(path, sizeof(path), "%.4000s/" CX_STORE_NAME, soak->options->run.out_dir);
    if (soak->options->run.targets.count == 0 && stat(path, &about) != 0) {
        return cx_error_set(error, CX_ERR_USAGE, "--target is missing, and %s has no soak to go on with",
                            soak->options->run.out_dir);
    }
    enum cx_status status = cx_campaign_out_prepare(soak->options->run.out_dir, error);
    if (status == CX_OK) {
        status = cx_beat_open(&soak->beat, soak->options->run.out_dir, error);
    }
    soak->campaign.store_path = strdup(path);
    if (status == CX_OK) {
        status = cx_store_open(store, soak->campaign.store_path, CX_STORE_WRITE, error);
    }
    if (status == CX_OK) {
        status = cx_ledger_find(&soak->ledger, store, &found, error);
    }
    if (status != CX_OK) {
        return status;
    }
    if (found && soak->ledger.invalid[0] != '\0') {
        return cx_error_set(error, CX_ERR_INVALID, "%s", soak->ledger.invalid);
    }
    return found ? asked_restore(soak, error) : fresh_begin(soak, error);
}

static int place_add(struct cx_soak *soak, const char *target, const char *scenario)
{
    struct cx_soak_place *grown = realloc(soak->places, (soak->places_count + 1) * sizeof(*grown));
    if (grown == NULL) {
        return -1;
    }
    soak->places = grown;
    grown[soak->places_count] = (struct cx_soak_place){target, strdup(scenario)};
    return grown[soak->places_count++].scenario != NULL ? 0 : -1;
}

// The scenarios of a target that are to be played. Canaries have their own times.
static enum cx_status target_survey(struct cx_soak *soak, const char *target, json_t *builds, struct cx_error *error)
{
    const struct cx_campaign_options *run = &soak->options->run;
    uint32_t count = 0;
    enum cx_status status = cx_soak_target(soak, target, error);
    if (status != CX_OK) {
        return status;
    }
    json_array_append_new(builds, json_string(soak->campaign.identity->build_id));
    cx_report_start(&soak->campaign, soak->crew.count);
    const struct cx_scenario_info *scenarios = cx_worker_scenarios(soak->crew.workers[0], &count);
    status = cx_campaign_patterns_check(&run->patterns, scenarios, count, error);
    if (status == CX_OK) {
        status = cx_known_check(&soak->campaign.known, soak->campaign.known_target, scenarios, count, error);
    }
    for (uint32_t i = 0; i < count && status == CX_OK; i++) {
        if (scenarios[i].applicable && !cx_canary_is(scenarios[i].name) &&
            cx_campaign_selected(&run->patterns, scenarios[i].name) &&
            place_add(soak, target, scenarios[i].name) != 0) {
            status = cx_error_set(error, CX_ERR_MEMORY, "out of memory");
        }
    }
    return status;
}

// A unit that is done gives the plan what it gave it then.
static enum cx_status unit_take(void *context, const json_t *row, struct cx_error *error)
{
    struct cx_soak *soak = context;
    struct cx_soak_unit unit = cx_soak_plan_next(&soak->plan);
    const struct cx_soak_place *place = &soak->places[unit.place];
    const char *strategy = cx_strategy_name(soak->options->strategies[unit.strategy]);
    json_t *wanted = json_pack("{s:I, s:s, s:s, s:s, s:O, s:O}", "number", (json_int_t)unit.number, "target",
                               place->target, "scenario", place->scenario, "strategy", strategy, "fresh",
                               json_object_get(row, "fresh"), "cost", json_object_get(row, "cost"));
    int same = json_equal(wanted, row);
    json_decref(wanted);
    if (!same) {
        return cx_error_set(error, CX_ERR_FORMAT, "%s: unit %" PRIu64 " is not the one that this constrictor plays",
                            soak->campaign.store_path, unit.number);
    }
    cx_soak_plan_judge(&soak->plan, (uint64_t)json_integer_value(json_object_get(row, "fresh")),
                       (uint64_t)json_integer_value(json_object_get(row, "cost")));
    return CX_OK;
}

static enum cx_status plan_begin(struct cx_soak *soak, struct cx_error *error)
{
    json_t *builds = json_array();
    const struct cx_names *targets = &soak->options->run.targets;
    enum cx_status status = CX_OK;
    for (size_t i = 0; i < targets->count && status == CX_OK; i++) {
        status = target_survey(soak, targets->list[i], builds, error);
    }
    if (status == CX_OK && soak->places_count == 0) {
        status = cx_error_set(error, CX_ERR_NOTHING, "no scenario applies to these targets, so there is nothing to do");
    }
    const json_t *before = json_object_get(soak->ledger.asked, "builds");
    if (status == CX_OK && json_array_size(before) > 0 && !json_equal(before, builds)) {
        status = differs(soak, "builds of its targets", error);
    }
    json_object_set_new(soak->ledger.asked, "builds", builds);
    if (status == CX_OK &&
        cx_soak_plan_init(&soak->plan, soak->seed, soak->places_count, soak->options->strategies_count) != 0) {
        status = cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    return status == CX_OK ? cx_ledger_units(&soak->ledger, unit_take, soak, error) : status;
}

// All that can be wrong before the first run.
static enum cx_status prepare(struct cx_soak *soak, struct cx_error *error)
{
    struct cx_campaign_options *run = &soak->options->run;
    enum cx_status status = CX_OK;
    for (size_t i = 0; i < run->targets.count && status == CX_OK; i++) {
        char ignored[PATH_MAX];
        status = cx_targets_runner(run->targets.list[i], ignored, error);
    }
    if (status == CX_OK) {
        status = cx_known_load(&soak->campaign.known, run->known_path, error);
    }
    if (status == CX_OK) {
        status = cx_symbolizer_new(&soak->campaign.symbolizer, NULL, error);
    }
    if (status == CX_OK) {
        status = store_open(soak, error);
    }
    soak->seed = run->shard.total > 0 ? cx_seed_of_shard(run->seed, run->shard.index, run->shard.total) : run->seed;
    return status;
}

// From here on the folder has this soak.
static enum cx_status begin(struct cx_soak *soak, struct cx_error *error)
{
    const struct cx_soak_options *options = soak->options;
    enum cx_status status = plan_begin(soak, error);
    if (status != CX_OK) {
        return status;
    }
    struct cx_store *store = &soak->campaign.results.store;
    if (store->session[0] != '\0') {
        cx_store_go_on(store, store->session);
    } else {
        const struct cx_store_session session = {.command = options->run.command,
                                                 .version = CONSTRICTOR_VERSION,
                                                 .seed = soak->seed,
                                                 .jobs = options->run.jobs};
        cx_store_begin(store, &session);
    }
    soak->ledger.units_max = options->units_max;
    soak->ledger.time_max_ms = options->run.time_max_ns / CX_NS_PER_MS;
    uint64_t left_ms =
        soak->ledger.time_max_ms > soak->ledger.spent_ms ? soak->ledger.time_max_ms - soak->ledger.spent_ms : 0;
    soak->deadline_ns = soak->ledger.time_max_ms == 0 ? CX_NO_DEADLINE : soak->started_ns + left_ms * CX_NS_PER_MS;
    soak->runs = cx_ledger_runs(&soak->ledger);
    soak->campaign.findings = json_object_size(soak->ledger.signatures);
    soak->campaign.findings_unexpected = cx_ledger_unexpected(&soak->ledger);
    cx_ledger_keep(&soak->ledger, cx_soak_spent_ms(soak));
    cx_soak_beat(soak);
    cx_live_clear(&soak->campaign.live);
    printf("%u places (scenarios on targets), %" PRIu64 " units are done\n", soak->places_count, soak->plan.number);
    return CX_OK;
}

static int over(const struct cx_soak *soak)
{
    int units_done = soak->options->units_max > 0 && soak->plan.number >= soak->options->units_max;
    return units_done || (soak->deadline_ns != CX_NO_DEADLINE && cx_clock_ns() >= soak->deadline_ns);
}

static enum cx_status canaries_play(struct cx_soak *soak, struct cx_error *error)
{
    enum cx_status status = cx_soak_canaries(soak, error);
    cx_live_clear(&soak->campaign.live);
    if (status == CX_OK) {
        printf("all canaries found, %" PRIu64 " units done\n", soak->plan.number);
    }
    return status;
}

// Canaries first, and once more when it has come to its end: the units since the last time count, too.
static enum cx_status units_play(struct cx_soak *soak, struct cx_error *error)
{
    enum cx_status status = canaries_play(soak, error);
    uint64_t asked_at = soak->plan.number;
    while (status == CX_OK && !over(soak)) {
        status = cx_interrupted() ? cx_error_set(error, CX_ERR_INTERRUPTED, "interrupted") : cx_soak_unit(soak, error);
        cx_soak_watch(soak);
        status = status == CX_OK ? cx_soak_stopped(soak, error) : status;
        if (status == CX_OK && cx_clock_ns() >= soak->canary_due_ns) {
            status = canaries_play(soak, error);
            asked_at = soak->plan.number;
        }
    }
    return status == CX_OK && soak->plan.number > asked_at ? canaries_play(soak, error) : status;
}

static enum cx_exit exit_of(struct cx_soak *soak, enum cx_status status)
{
    if (status != CX_OK) {
        return cx_status_exit(status);
    }
    if (soak->plan.number == 0) {
        return CX_EXIT_NOTHING;
    }
    return soak->campaign.findings_unexpected > 0 ? CX_EXIT_FINDINGS : CX_EXIT_OK;
}

static void end_print(struct cx_soak *soak, enum cx_exit code)
{
    const struct cx_campaign *campaign = &soak->campaign;
    cx_live_clear(&soak->campaign.live);
    printf("\n%" PRIu64 " units, %" PRIu64 " runs, %" PRIu64 " signatures, %" PRIu64 " unexpected; results: %s\n",
           soak->plan.number, soak->runs, campaign->findings, campaign->findings_unexpected, campaign->store_path);
    if (code == CX_EXIT_INTERRUPTED || code == CX_EXIT_ENVIRONMENT) {
        fprintf(stderr, "constrictor: `constrictor soak --out %s` goes on\n", soak->options->run.out_dir);
    } else if (code == CX_EXIT_NOTHING) {
        fprintf(stderr, "constrictor: no unit was finished, so this is no pass\n");
    }
}

static enum cx_exit soak_end(struct cx_soak *soak, int began, enum cx_status status, struct cx_error *error)
{
    enum cx_exit code = exit_of(soak, status);
    cx_live_clear(&soak->campaign.live);
    if (status != CX_OK) {
        fprintf(stderr, "constrictor: %s\n", error->text[0] != '\0' ? error->text : cx_status_sentence(status));
    }
    if (began) {
        soak->state = "ended";
        cx_ledger_keep(&soak->ledger, cx_soak_spent_ms(soak));
        cx_report_end(&soak->campaign, code);
        cx_usage_processes(&soak->usage);
        cx_soak_beat(soak);
    }
    int said = soak->campaign.results.store.failed && status != CX_OK; // it is why the soak ended
    if (cx_results_close(&soak->campaign.results, error) != CX_OK) {
        code = CX_EXIT_ENVIRONMENT;
        if (!said) {
            fprintf(stderr, "constrictor: %s\n", error->text);
        }
    }
    if (began) {
        end_print(soak, code);
    }
    return code;
}

// glibc raises its bounds for what is mapped and what is given back with the largest block that was ever freed, up to
// 32 and 64 MiB: one long log, and the process keeps as much for good. Bounds that were set stay as they are.
static void memory_bound(void)
{
    mallopt(M_MMAP_THRESHOLD, CX_BLOCK_MAPPED_BYTES);
    mallopt(M_TRIM_THRESHOLD, CX_BLOCK_MAPPED_BYTES);
}

enum cx_exit cx_soak_run(struct cx_soak_options *options)
{
    struct cx_error error = {0};
    memory_bound();
    struct cx_soak *soak = calloc(1, sizeof(*soak));
    if (soak == NULL) {
        return CX_EXIT_ENVIRONMENT;
    }
    soak->options = options;
    soak->campaign.options = &options->run;
    soak->beat = (struct cx_beat){-1, -1};
    soak->state = "starting";
    soak->started_ns = cx_clock_ns();
    soak->begun_ms = cx_clock_unix_ms();
    cx_live_init(&soak->campaign.live);
    enum cx_status status = prepare(soak, &error);
    status = status == CX_OK ? begin(soak, &error) : status;
    int began = status == CX_OK;
    if (began) {
        status = units_play(soak, &error);
    }
    cx_crew_fini(&soak->crew);
    enum cx_exit code = soak_end(soak, began, status, &error);
    cx_beat_close(&soak->beat);
    cx_ledger_fini(&soak->ledger);
    cx_soak_plan_fini(&soak->plan);
    cx_symbolizer_free(soak->campaign.symbolizer);
    cx_known_fini(&soak->campaign.known);
    for (uint32_t i = 0; i < soak->places_count; i++) {
        free(soak->places[i].scenario);
    }
    free(soak->places);
    free(soak->campaign.store_path);
    free(soak);
    return code;
}
