// SPDX-License-Identifier: Apache-2.0
//
// campaign: see campaign.h.
#include "harness/exec/campaign.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/exec/clock.h"
#include "harness/exec/interrupt.h"
#include "harness/exec/targets.h"
#include "harness/exec/units.h"
#include "harness/exec/within.h"
#include "harness/scenario.h"

void cx_campaign_know(const struct cx_campaign *campaign, const struct cx_explore *explore, struct cx_finding *finding)
{
    struct cx_known_match match =
        cx_known_find(&campaign->known, campaign->known_target, explore->options->scenario, finding->signature.text);
    finding->known = match.entry;
    finding->regressed = match.regressed;
}

static void on_finding(void *context, const struct cx_explore *explore, struct cx_finding *finding,
                       const struct cx_record *record)
{
    cx_campaign_know(context, explore, finding);
    cx_report_finding(context, explore, finding, record);
}

static void on_message(void *context, const char *text)
{
    struct cx_campaign *campaign = context;
    cx_live_clear(&campaign->live);
    fprintf(stderr, "constrictor: %s\n", text);
}

// Runs whose results have no place any more are not worth their time.
static enum cx_status on_tick(void *context, const struct cx_explore *explore, struct cx_error *error)
{
    const struct cx_campaign *campaign = context;
    cx_report_live(context, explore);
    if (campaign->schedules_lost) {
        return cx_error_set(error, CX_ERR_SYSTEM, "a schedule could not be written below %.300s",
                            campaign->options->out_dir);
    }
    return cx_results_status(&campaign->results, error);
}

enum cx_status cx_campaign_out_prepare(const char *path, struct cx_error *error)
{
    char part[PATH_MAX];
    if (strlen(path) > PATH_MAX - 300) {
        return cx_error_set(error, CX_ERR_USAGE, "--out: the name is too long");
    }
    for (const char *slash = path; slash != NULL;) {
        slash = strchr(slash + 1, '/');
        snprintf(part, sizeof(part), "%.*s", slash != NULL ? (int)(slash - path) : (int)strlen(path), path);
        if (mkdir(part, 0777) != 0 && errno != EEXIST) {
            cx_error_system(error, "--out %s: cannot make the folder %s", path, part);
            return CX_ERR_ENVIRONMENT;
        }
    }
    snprintf(part, sizeof(part), "%s/.constrictor-%d", path, (int)getpid());
    FILE *probe = fopen(part, "wex");
    if (probe == NULL) {
        cx_error_system(error, "--out %s: cannot write there", path);
        return CX_ERR_ENVIRONMENT;
    }
    fclose(probe);
    unlink(part);
    return CX_OK;
}

// "all" are the scenarios that ask one question; those that draw whole programs are named.
static int pattern_matches(const char *pattern, const char *name)
{
    return (strcmp(pattern, "all") == 0 && strncmp(name, "fuzz/", 5) != 0) || fnmatch(pattern, name, 0) == 0;
}

enum cx_status cx_campaign_patterns_check(const struct cx_names *patterns, const struct cx_scenario_info *scenarios,
                                          uint32_t count, struct cx_error *error)
{
    for (size_t i = 0; i < patterns->count; i++) {
        int found = 0;
        struct cx_names names = {0};
        for (uint32_t k = 0; k < count; k++) {
            found |= pattern_matches(patterns->list[i], scenarios[k].name);
            cx_names_add(&names, scenarios[k].name);
        }
        char nearest[300];
        cx_names_nearest(&names, patterns->list[i], nearest, sizeof(nearest));
        cx_names_fini(&names);
        if (found) {
            continue;
        }
        if (strpbrk(patterns->list[i], "*?[") != NULL || strcmp(patterns->list[i], "all") == 0) {
            return cx_error_set(error, CX_ERR_NOTHING, "no scenario matches \"%s\": nothing ran", patterns->list[i]);
        }
        return cx_error_set(error, CX_ERR_USAGE, "unknown scenario \"%s\"%s%s; `constrictor list` shows all",
                            patterns->list[i], nearest[0] != '\0' ? ": nearest are " : "", nearest);
    }
    return CX_OK;
}

int cx_campaign_selected(const struct cx_names *patterns, const char *name)
{
    for (size_t i = 0; i < patterns->count; i++) {
        if (pattern_matches(patterns->list[i], name)) {
            return 1;
        }
    }
    return 0;
}

// Rates are those of random, pct and what is made of them. A signature that is known in two entries shows the first.
size_t cx_campaign_unseen(const struct cx_campaign *campaign, const struct cx_explore *explore,
                          const struct cx_known_entry **unseen, size_t unseen_max)
{
    uint32_t strategy = explore->options->strategy;
    size_t count = 0;
    if (strategy != CX_STRATEGY_RANDOM && strategy != CX_STRATEGY_PCT && strategy != CX_STRATEGY_PORTFOLIO) {
        return 0;
    }
    for (size_t i = 0; i < campaign->known.count && count < unseen_max; i++) {
        const struct cx_known_entry *entry = &campaign->known.entries[i];
        const struct cx_known_place *place = cx_known_place(entry, campaign->known_target, explore->options->scenario);
        int seen = place == NULL || !cx_known_missed(place, explore->totals.runs);
        for (size_t k = 0; k < explore->findings.count && !seen; k++) {
            seen = explore->findings.list[k]->known == entry;
        }
        if (!seen) {
            unseen[count++] = entry;
        }
    }
    return count;
}

enum cx_verdict cx_campaign_verdict(const struct cx_explore *explore, const struct cx_scenario_info *info)
{
    const struct cx_totals *totals = &explore->totals;
    int controlled = explore->options->strategy != CX_STRATEGY_NATIVE;
    int unexpected = 0;
    int expected = 0;
    int known = 0;
    for (size_t i = 0; i < explore->findings.count; i++) {
        const struct cx_finding *finding = explore->findings.list[i];
        unexpected |= cx_finding_unexpected(finding);
        expected |= finding->expected;
        known |= finding->known != NULL;
    }
    if (unexpected) {
        return CX_VERDICT_FINDINGS;
    }
    if (totals->runs_error > 0) {
        return CX_VERDICT_ERROR;
    }
    if (totals->runs > 0 && totals->runs_skipped == totals->runs) {
        return CX_VERDICT_SKIPPED;
    }
    int nothing = totals->runs == 0 || (controlled && totals->choices == 0 && totals->choices_expected == 0) ||
                  totals->threads_max == 1 || cx_points_missed(explore->options->points, totals->accesses_seen);
    if (nothing && !expected && !known) {
        return info->expect == CX_EXPECT_NOTHING && totals->runs > 0 ? CX_VERDICT_NOTHING_DUE : CX_VERDICT_NOTHING;
    }
    if (info->expect != CX_EXPECT_PASS && !expected) {
        // Without control a canary may be lucky, and nothing can diverge or lack choices.
        return controlled ? CX_VERDICT_MISSING : CX_VERDICT_PASS;
    }
    return known ? CX_VERDICT_KNOWN : CX_VERDICT_PASS;
}

const char *cx_verdict_name(enum cx_verdict verdict)
{
    static const char *const names[CX_VERDICTS] = {
        "pass", "known", "findings", "missing", "nothing", "nothing-expected", "skipped", "error"};
    return verdict < CX_VERDICTS ? names[verdict] : "?";
}

enum cx_status cx_campaign_part_run(struct cx_campaign *campaign, struct cx_crew *crew, uint32_t index,
                                    const struct cx_scenario_info *info, const struct cx_campaign_part *part,
                                    enum cx_verdict *verdict, struct cx_error *error)
{
    const struct cx_campaign_options *options = campaign->options;
    const struct cx_explore_options explore_options = {
        .scenario = info->name,
        .strategy = options->strategy,
        .pct_depth = options->pct_depth,
        .preemptions_max = options->preemptions_max,
        .seed = options->seed,
        .run_first = part->run_first,
        .runs_max = part->runs_max,
        .deadline_ns = part->deadline_ns,
        .findings_max = options->findings_max,
        .wall_ms_max = options->wall_ms_max,
        .steps_max = options->steps_max,
        .rules = options->rules,
        .points = &campaign->points,
        .verify = options->verify,
        .in_process = options->in_process,
    };
    const struct cx_explore_observer observer = {
        .context = campaign, .finding = on_finding, .message = on_message, .tick = on_tick};
    struct cx_explore explore = {
        .options = &explore_options,
        .observer = &observer,
        .resolver = &campaign->resolver,
        .crew = crew,
        .scenario = index,
        .expected = cx_explore_expected(info->expect),
    };
    enum cx_status status = cx_explore_run(&explore, error);
    *verdict = cx_campaign_verdict(&explore, info);
    if (status != CX_OK && *verdict != CX_VERDICT_FINDINGS) {
        *verdict = CX_VERDICT_PASS; // the status decides; nothing can be missing from a campaign that was cut short
    }
    cx_report_scenario(campaign, &explore, *verdict);
    campaign->runs += explore.totals.runs;
    campaign->interleavings += explore.totals.interleavings.count;
    cx_explore_fini(&explore);
    return status;
}

static enum cx_status scenario_run(struct cx_campaign *campaign, struct cx_crew *crew, uint32_t index,
                                   const struct cx_scenario_info *info, uint64_t deadline_ns, struct cx_error *error)
{
    const struct cx_campaign_options *options = campaign->options;
    if (options->shard.total > 0) {
        return cx_units_run(campaign, crew, index, info, deadline_ns, error);
    }
    const struct cx_campaign_part all = {options->run_first, options->runs_max, deadline_ns};
    enum cx_verdict verdict = CX_VERDICT_PASS;
    enum cx_status status = cx_campaign_part_run(campaign, crew, index, info, &all, &verdict, error);
    campaign->verdicts[verdict]++;
    return status;
}

// What is left of the time, divided evenly among what is left to do.
static uint64_t deadline_share(uint64_t deadline_ns, uint64_t parts_left)
{
    uint64_t now_ns = cx_clock_ns();
    if (deadline_ns == CX_NO_DEADLINE) {
        return deadline_ns;
    }
    return deadline_ns <= now_ns || parts_left == 0 ? now_ns : now_ns + (deadline_ns - now_ns) / parts_left;
}

static enum cx_status scenarios_run(struct cx_campaign *campaign, struct cx_crew *crew, uint64_t deadline_ns,
                                    struct cx_error *error)
{
    uint32_t count = 0;
    const struct cx_scenario_info *scenarios = cx_worker_scenarios(crew->workers[0], &count);
    enum cx_status status = cx_campaign_patterns_check(&campaign->options->patterns, scenarios, count, error);
    if (status == CX_OK && campaign->options->subject == NULL) {
        status = cx_known_check(&campaign->known, campaign->known_target, scenarios, count, error);
    }
    uint64_t parts_left = 0;
    for (uint32_t i = 0; i < count; i++) {
        parts_left += cx_campaign_selected(&campaign->options->patterns, scenarios[i].name) && scenarios[i].applicable;
    }
    for (uint32_t i = 0; i < count && status == CX_OK; i++) {
        if (!cx_campaign_selected(&campaign->options->patterns, scenarios[i].name)) {
            continue;
        }
        if (!scenarios[i].applicable) {
            cx_live_clear(&campaign->live);
            printf("%s on %s: skipped, it does not apply to this target\n", scenarios[i].name, campaign->target);
            campaign->verdicts[CX_VERDICT_SKIPPED]++;
            continue;
        }
        // The crew may replace this worker's list when it restarts it.
        struct cx_scenario_info info = scenarios[i];
        status = scenario_run(campaign, crew, i, &info, deadline_share(deadline_ns, parts_left--), error);
        scenarios = cx_worker_scenarios(crew->workers[0], &count);
    }
    return status;
}

void cx_campaign_enter(struct cx_campaign *campaign, const struct cx_crew *crew, const char *target)
{
    campaign->target = target;
    campaign->identity = cx_worker_identity(crew->workers[0]);
    cx_known_target(campaign->identity, target, campaign->known_target);
    campaign->view = (struct cx_symbolizer_view){campaign->symbolizer, campaign->identity};
    campaign->resolver = (struct cx_resolver){&campaign->view, cx_symbolizer_view_stack, cx_symbolizer_view_address};
}

static enum cx_status target_run(struct cx_campaign *campaign, const char *target, uint64_t targets_left,
                                 uint64_t deadline_ns, struct cx_error *error)
{
    struct cx_crew crew = {0};
    const struct cx_campaign_options *options = campaign->options;
    enum cx_status status =
        cx_crew_start(&crew, target, options->subject, options->jobs, options->strategy != CX_STRATEGY_NATIVE, error);
    if (status == CX_OK) {
        cx_campaign_enter(campaign, &crew, target);
        status = cx_within_resolve(&campaign->points, options->points_level, &options->within, campaign->identity,
                                   options->subject != NULL, error);
    }
    if (status == CX_OK && options->in_process &&
        (campaign->identity->tsan || campaign->identity->python[0] != '\0' ||
         (options->subject != NULL && options->subject->kind != CX_SUBJECT_PROGRAM))) {
        status = cx_error_set(error, CX_ERR_USAGE,
                              "--in-process is for programs of `constrictor cc` and for scenarios without Python, and "
                              "not under ThreadSanitizer: it would remember the runs before");
    }
    if (status == CX_OK) {
        cx_report_start(campaign, crew.count);
        status = scenarios_run(campaign, &crew, deadline_share(deadline_ns, targets_left), error);
    }
    cx_crew_fini(&crew);
    return status;
}

static enum cx_exit exit_of(const struct cx_campaign *campaign, enum cx_status status)
{
    const uint64_t *verdicts = campaign->verdicts;
    if (status != CX_OK) {
        return cx_status_exit(status);
    }
    if (verdicts[CX_VERDICT_ERROR] > 0) {
        return CX_EXIT_ENVIRONMENT;
    }
    if (verdicts[CX_VERDICT_FINDINGS] + verdicts[CX_VERDICT_MISSING] > 0) {
        return CX_EXIT_FINDINGS;
    }
    // A shard may have nothing to do, or nothing but what was skipped, where the campaign as a whole has something.
    int some = campaign->options->shard.total > 1 ? campaign->place > 0
                                                  : verdicts[CX_VERDICT_PASS] + verdicts[CX_VERDICT_KNOWN] > 0;
    return verdicts[CX_VERDICT_NOTHING] > 0 || !some ? CX_EXIT_NOTHING : CX_EXIT_OK;
}

static enum cx_status results_open(struct cx_campaign *campaign, struct cx_error *error)
{
    const struct cx_campaign_options *options = campaign->options;
    char path[PATH_MAX];
    const char *store = options->store_path;
    if (store == NULL) {
        snprintf(path, sizeof(path), "%s/" CX_STORE_NAME, options->out_dir);
        store = path;
    }
    campaign->store_path = strdup(store);
    cx_units_campaign_id(options, campaign->id);
    const struct cx_store_session session = {.command = options->command,
                                             .version = CONSTRICTOR_VERSION,
                                             .seed = options->seed,
                                             .jobs = options->jobs,
                                             .campaign = options->shard.total > 0 ? campaign->id : NULL,
                                             .shard_index = options->shard.index,
                                             .shard_total = options->shard.total};
    return campaign->store_path == NULL
               ? CX_ERR_MEMORY
               : cx_results_open(&campaign->results, options->json_path, store[0] != '\0' ? campaign->store_path : NULL,
                                 &session, error);
}

// All that can be wrong before the first run.
static enum cx_status campaign_prepare(struct cx_campaign *campaign, struct cx_error *error)
{
    const struct cx_campaign_options *options = campaign->options;
    enum cx_status status = CX_OK;
    for (size_t i = 0; i < options->targets.count && status == CX_OK; i++) {
        char ignored[PATH_MAX];
        if (options->subject == NULL) {
            status = cx_targets_runner(options->targets.list[i], ignored, error);
        }
    }
    if (status == CX_OK && options->subject == NULL) {
        status = cx_known_load(&campaign->known, options->known_path, error);
    }
    if (status == CX_OK) {
        status = cx_symbolizer_new(&campaign->symbolizer, NULL, error);
    }
    if (status == CX_OK) {
        status = cx_campaign_out_prepare(options->out_dir, error);
    }
    return status == CX_OK ? results_open(campaign, error) : status;
}

static void verdict_print(const struct cx_campaign *campaign, enum cx_exit code)
{
    const uint64_t *verdicts = campaign->verdicts;
    if (code == CX_EXIT_NOTHING) {
        uint64_t nothing = verdicts[CX_VERDICT_NOTHING] + verdicts[CX_VERDICT_NOTHING_DUE];
        fprintf(stderr, "constrictor: %s, so this is no pass\n",
                nothing > 0 ? "nothing was explored" : "no scenario ran");
    } else if (code == CX_EXIT_FINDINGS) {
        printf("\n%" PRIu64 " unexpected finding%s", campaign->findings_unexpected,
               campaign->findings_unexpected == 1 ? "" : "s");
        if (verdicts[CX_VERDICT_MISSING] > 0) {
            printf(", %" PRIu64 " expected finding%s missing", verdicts[CX_VERDICT_MISSING],
                   verdicts[CX_VERDICT_MISSING] == 1 ? "" : "s");
        }
        putchar('\n');
    } else if (code == CX_EXIT_OK && campaign->options->shard.total > 0 && campaign->runs_before == 0) {
        printf("\nno unit belongs to this shard: nothing to do, which is right\n");
    } else if (code == CX_EXIT_OK) {
        printf("\nnothing unexpected in %" PRIu64 " runs",
               campaign->options->shard.total > 0 ? campaign->runs_before : campaign->runs);
        if (campaign->findings_known > 0) {
            printf(": %" PRIu64 " known finding%s", campaign->findings_known, campaign->findings_known == 1 ? "" : "s");
        }
        putchar('\n');
    }
}

enum cx_exit cx_campaign_run(const struct cx_campaign_options *options)
{
    struct cx_error error = {0};
    struct cx_campaign *campaign = calloc(1, sizeof(*campaign));
    if (campaign == NULL) {
        return CX_EXIT_ENVIRONMENT;
    }
    campaign->options = options;
    cx_live_init(&campaign->live);
    enum cx_status status = campaign_prepare(campaign, &error);
    uint64_t deadline_ns = options->time_max_ns == 0 ? CX_NO_DEADLINE : cx_clock_ns() + options->time_max_ns;
    for (size_t i = 0; i < options->targets.count && status == CX_OK; i++) {
        status = target_run(campaign, options->targets.list[i], options->targets.count - i, deadline_ns, &error);
    }
    enum cx_exit code = exit_of(campaign, status);
    cx_report_end(campaign, code);
    if (status != CX_OK) {
        const char *kept = campaign->runs > 0 ? "; what was found before is kept" : "";
        fprintf(stderr, "constrictor: %s%s\n", error.text, kept);
    } else {
        verdict_print(campaign, code);
    }
    struct cx_error said = error;
    if (cx_results_close(&campaign->results, &error) != CX_OK) {
        if (strcmp(error.text, said.text) != 0) { // else it is why the campaign ended
            fprintf(stderr, "constrictor: %s\n", error.text);
        }
        code = CX_EXIT_ENVIRONMENT;
    }
    cx_symbolizer_free(campaign->symbolizer);
    free(campaign->store_path);
    cx_known_fini(&campaign->known);
    free(campaign);
    return code;
}
