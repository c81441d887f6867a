// SPDX-License-Identifier: Apache-2.0
//
// report: what `constrictor run` says: findings and totals on standard output, progress on standard error, the same for
// machines as JSON lines, and a schedule file for every finding that can be replayed.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/detect/render.h"
#include "harness/exec/campaign.h"
#include "harness/exec/clock.h"
#include "harness/exec/units.h"
#include "harness/exec/deal.h"
#include "harness/exec/within.h"
#include "harness/exec/diverge.h"
#include "harness/options.h"
#include "harness/trace/format.h"

#define CX_UNSEEN_MAX 64
#define CX_REPORT_FRAMES_MAX 8 // of a stack on the terminal; the JSON line has all
#define CX_REPORT_LINES_MAX 12 // of what a subject printed
#define CX_REPORT_COLUMNS_MAX 160
#define CX_DIVERGENCES_TOLD_MAX 2 // each plays its schedule a dozen times

// <out>/<target>/<scenario with dots>-<id>.cxs; makes the target's folder.
static int schedule_path(const struct cx_campaign *campaign, const struct cx_explore *explore,
                         struct cx_finding *finding)
{
    char folder[PATH_MAX - 200];
    char scenario[64];
    snprintf(folder, sizeof(folder), "%s/%s", campaign->options->out_dir, campaign->target);
    snprintf(scenario, sizeof(scenario), "%s", explore->options->scenario);
    for (char *at = scenario; *at != '\0'; at++) {
        *at = *at == '/' ? '.' : *at;
    }
    mkdir(folder, 0777);
    int chars = snprintf(finding->schedule_path, sizeof(finding->schedule_path), "%s/%s-%s%s", folder, scenario,
                         finding->signature.id, CX_SCHEDULE_SUFFIX);
    return chars > 0 && (size_t)chars < sizeof(finding->schedule_path) ? 0 : -1;
}

// Who made the schedule: of a portfolio, the member.
static uint32_t strategy_of(const struct cx_explore *explore, const struct cx_record *record)
{
    uint32_t strategy = explore->options->strategy;
    return strategy == CX_STRATEGY_PORTFOLIO ? record->dealt : strategy;
}

void cx_report_schedule_save(struct cx_campaign *campaign, const struct cx_explore *explore, struct cx_finding *finding,
                             const struct cx_record *record)
{
    struct cx_error error = {0};
    struct cx_schedule schedule;
    enum cx_status status = cx_record_schedule(record, &schedule, &error);
    if (status == CX_OK) {
        const struct cx_explore_options *options = explore->options;
        int default_run = finding->run == CX_RUN_DEFAULT;
        snprintf(schedule.scenario, sizeof(schedule.scenario), "%s", options->scenario);
        snprintf(schedule.target, sizeof(schedule.target), "%s", campaign->target);
        snprintf(schedule.build_id, sizeof(schedule.build_id), "%s", campaign->identity->build_id);
        snprintf(schedule.strategy, sizeof(schedule.strategy), "%s",
                 default_run ? "default" : cx_strategy_name(strategy_of(explore, record)));
        snprintf(schedule.signature, sizeof(schedule.signature), "%s", finding->signature.text);
        schedule.depth = !default_run && options->strategy == CX_STRATEGY_PCT ? options->pct_depth : 0;
        schedule.seed = finding->seed;
        schedule.steps_max = options->steps_max;
        schedule.run = default_run ? 0 : finding->run;
        const struct cx_aim *aim = record->aim;
        cx_within_save(aim != NULL ? &aim->points : options->points,
                       aim != NULL ? &aim->words : &campaign->options->within, &schedule);
        if (campaign->options->subject != NULL) {
            cx_subject_save(campaign->options->subject, &schedule);
        }
        status = schedule_path(campaign, explore, finding) == 0
                     ? cx_schedule_write(&schedule, finding->schedule_path, &error)
                     : cx_error_set(&error, CX_ERR_USAGE, "--out %s: the name is too long", campaign->options->out_dir);
        cx_schedule_fini(&schedule);
    }
    if (status != CX_OK) {
        fprintf(stderr, "constrictor: the schedule of this finding is lost: %s\n", error.text);
        finding->schedule_path[0] = '\0';
        campaign->schedules_lost++;
    }
}

void cx_report_replay_command(const struct cx_campaign *campaign, const struct cx_explore *explore,
                              const struct cx_finding *finding, char *text, size_t text_bytes)
{
    if (finding->schedule_path[0] != '\0') {
        snprintf(text, text_bytes, "constrictor replay %s", finding->schedule_path);
        return;
    }
    const struct cx_campaign_options *options = campaign->options;
    char depth[40] = "", steps[60] = "";
    if (options->strategy == CX_STRATEGY_PCT) {
        snprintf(depth, sizeof(depth), " --depth %u", options->pct_depth);
    }
    if (options->steps_max > 0) {
        snprintf(steps, sizeof(steps), " --steps-max %" PRIu64, options->steps_max);
    }
    char before[PATH_MAX + 200], after[CX_SUBJECT_WORDS_BYTES] = "";
    if (options->subject != NULL) {
        cx_subject_invocation_text(options->subject, before, sizeof(before), after, sizeof(after));
    } else {
        snprintf(before, sizeof(before), "run %s --target %s", explore->options->scenario, campaign->target);
    }
    // A strategy that learns comes to this run through those before it.
    uint64_t begin = explore->options->run_first;
    uint64_t run = finding->run == CX_RUN_DEFAULT ? begin : finding->run;
    uint64_t first = cx_deal_learns(options->strategy) ? begin : run;
    snprintf(text, text_bytes,
             "constrictor %s --strategy %s%s%s --seed %" PRIu64 " --first-run %" PRIu64 " --runs %" PRIu64 "%s", before,
             cx_strategy_name(options->strategy), depth, steps, options->seed, first, run - first + 1, after);
}

static void status_text(const struct cx_finding *finding, char *text, size_t text_bytes)
{
    switch (finding->status) {
    case CX_FINDING_CONFIRMED:
    case CX_FINDING_DIVERGED:
        snprintf(text, text_bytes, "%s with the same signature %u of %u times",
                 finding->by_seed ? "too long for a file; played again from its seed" : "replayed", finding->confirmed,
                 finding->replays);
        break;
    case CX_FINDING_NATIVE:
        snprintf(text, text_bytes, "native, not replayable");
        break;
    case CX_FINDING_UNREPLAYABLE:
        snprintf(text, text_bytes, "not replayable from a file: its schedule is not known or too long");
        break;
    default:
        snprintf(text, text_bytes, "not confirmed: interrupted");
        break;
    }
}

static void run_text(const struct cx_finding *finding, char *text, size_t text_bytes)
{
    if (finding->run == CX_RUN_DEFAULT) {
        snprintf(text, text_bytes, "the run in the default order");
    } else {
        snprintf(text, text_bytes, "run %" PRIu64 ", seed 0x%016" PRIx64, finding->run, finding->seed);
    }
}

// The last lines of what the run printed.
static void output_print(const char *output)
{
    const char *from = output + strlen(output);
    int lines = 0;
    while (from > output && (from[-1] != '\n' || lines < CX_REPORT_LINES_MAX)) {
        from--;
        lines += *from == '\n';
    }
    if (*from != '\0') {
        printf("    its output%s:\n", from > output ? ", the end of it" : "");
    }
    while (*from != '\0') {
        size_t chars = strcspn(from, "\n");
        printf("      ");
        for (size_t i = 0; i < chars && i < CX_REPORT_COLUMNS_MAX; i++) {
            putchar((unsigned char)from[i] < 0x20 ? ' ' : from[i]); // nothing that a terminal would obey
        }
        putchar('\n');
        from += chars + (from[chars] == '\n');
    }
}

static void finding_print(struct cx_campaign *campaign, const struct cx_explore *explore,
                          const struct cx_finding *finding, const struct cx_record *record, const char *command)
{
    char status[100], run[80];
    status_text(finding, status, sizeof(status));
    run_text(finding, run, sizeof(run));
    cx_live_clear(&campaign->live);
    const char *heading = finding->expected                        ? "expected"
                          : finding->regressed                     ? "REGRESSED"
                          : finding->known != NULL                 ? "known"
                          : finding->status == CX_FINDING_DIVERGED ? "DIVERGED"
                                                                   : "FINDING";
    printf("\n%s: %s\n", heading, finding->signature.text);
    if (finding->known != NULL) {
        printf("  %s %s: %s%s\n", cx_known_kind_name(finding->known->kind), finding->known->issue, finding->known->what,
               finding->regressed ? " This version is said to have the fix." : "");
    }
    printf("  %s on %s, %s; %s\n", explore->options->scenario, campaign->target, run, status);
    if (finding->divergence[0] != '\0') {
        printf("  differs: %s\n", finding->divergence);
    }
    struct cx_render render = {.stream = stdout, .resolver = explore->resolver, .frames_max = CX_REPORT_FRAMES_MAX};
    if (finding->kind != CX_OUTCOME_DIVERGED) { // that is a passing run, which has no place to show
        cx_render_symptom(&render, record->result, finding->kind, finding->race, "    ");
    }
    if (record->result->uncontrolled[0] != '\0') {
        printf("    not under control: %s\n", record->result->uncontrolled);
    }
    if (campaign->options->subject != NULL) {
        output_print(record->output);
    }
    printf("  again: %s\n", command);
    fflush(stdout);
}

// Where and why a finding that nobody expected could not be played again.
static void divergence_tell(struct cx_campaign *campaign, struct cx_finding *finding)
{
    if (finding->status != CX_FINDING_DIVERGED || finding->expected || finding->schedule_path[0] == '\0' ||
        campaign->divergences_told++ >= CX_DIVERGENCES_TOLD_MAX) {
        return;
    }
    struct cx_error error = {0};
    enum cx_status status =
        cx_divergence_tell(finding->schedule_path, stdout, finding->source, sizeof(finding->source), &error);
    if (status != CX_OK) {
        fprintf(stderr, "constrictor: where it diverges is not known: %s\n", error.text);
    }
}

void cx_report_finding(struct cx_campaign *campaign, const struct cx_explore *explore, struct cx_finding *finding,
                       const struct cx_record *record)
{
    int controlled = explore->options->strategy != CX_STRATEGY_NATIVE;
    int told = cx_units_outdone(campaign, explore, finding);
    if (controlled && !record->result->deviations_dropped && !told) {
        cx_report_schedule_save(campaign, explore, finding, record);
    }
    campaign->findings += !told;
    int sharded = campaign->options->shard.total > 0; // then all units are counted together, in the end
    campaign->findings_unexpected += !sharded && cx_finding_unexpected(finding);
    static const struct cx_known_entry unknown = {.id = "", .issue = ""};
    const struct cx_known_entry *entry = finding->known != NULL ? finding->known : &unknown;
    int known = finding->known != NULL && !finding->regressed;
    campaign->findings_known += !sharded && known;
    char command[PATH_MAX + CX_SUBJECT_WORDS_BYTES + 400];
    cx_report_replay_command(campaign, explore, finding, command, sizeof(command));
    // Kept first, said then: whatever a person has read is there, also when the command is killed in between. But where
    // a divergence lies is found while it is said.
    if (finding->status == CX_FINDING_DIVERGED && !told) {
        finding_print(campaign, explore, finding, record, command);
        divergence_tell(campaign, finding);
    }
    enum cx_outcome kind = finding->status == CX_FINDING_DIVERGED ? CX_OUTCOME_DIVERGED : finding->kind;
    json_t *run = finding->run == CX_RUN_DEFAULT ? json_null() : json_integer((json_int_t)finding->run);
    json_t *line = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:b, s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:s, "
        "s:s, s:s, s:s}",
        "type", "finding", "signature", finding->signature.text, "id", finding->signature.id, "kind",
        cx_outcome_name(kind), "message", record->result->message, "location", record->result->location, "scenario",
        explore->options->scenario, "target", campaign->target, "build_id", campaign->identity->build_id, "strategy",
        cx_strategy_name(explore->options->strategy), "run", run, "seed", cx_jsonl_hex(finding->seed), "expected",
        finding->expected, "known", known ? entry->issue : "", "known_id", entry->id, "regressed",
        finding->regressed ? entry->issue : "", "status", cx_finding_status_name(finding->status), "confirmed",
        (int)finding->confirmed, "replays", (int)finding->replays, "divergence", finding->divergence, "source",
        finding->source, "uncontrolled", record->result->uncontrolled, "schedule", finding->schedule_path, "replay",
        command);
    cx_units_name(campaign, line);
    if (line != NULL && campaign->options->subject != NULL && !told) {
        json_object_set_new(line, "output", cx_jsonl_text(record->output));
    }
    if (line != NULL && !told) {
        json_object_set_new(line, "stacks",
                            cx_jsonl_stacks(record->result, explore->resolver, finding->kind, finding->race));
    }
    cx_results_write(&campaign->results, line, finding->schedule_path[0] != '\0' ? finding->schedule_path : NULL);
    if (finding->status != CX_FINDING_DIVERGED && !told) {
        finding_print(campaign, explore, finding, record, command);
    }
}

void cx_report_start(struct cx_campaign *campaign, uint32_t jobs)
{
    const struct cx_campaign_options *options = campaign->options;
    const struct cx_identity *identity = campaign->identity;
    json_t *runs = options->runs_max == UINT64_MAX ? json_null() : json_integer((json_int_t)options->runs_max);
    json_t *line = json_pack("{s:s, s:i, s:s, s:s, s:s, s:b, s:b, s:b, s:s, s:i, s:o, s:o, s:I, s:i}", "type", "start",
                             "format", 1, "target", campaign->target, "build_id", identity->build_id, "python",
                             identity->python, "gil", (int)identity->gil_on, "tsan", (int)identity->tsan, "debug",
                             (int)identity->debug, "strategy", cx_strategy_name(options->strategy), "depth",
                             (int)options->pct_depth, "seed", cx_jsonl_hex(options->seed), "runs", runs, "time_ms",
                             (json_int_t)(options->time_max_ns / CX_NS_PER_MS), "jobs", (int)jobs);
    if (line != NULL && options->shard.total > 0) {
        json_object_set_new(line, "shard", json_sprintf("%u/%u", options->shard.index + 1, options->shard.total));
        json_object_set_new(line, "campaign", json_string(campaign->id));
    }
    cx_results_write(&campaign->results, line, NULL);
}

static json_t *signatures_json(const struct cx_explore *explore)
{
    json_t *list = json_array();
    for (size_t i = 0; i < explore->findings.count; i++) {
        const struct cx_finding *finding = explore->findings.list[i];
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:I}", "id", finding->signature.id, "signature", finding->signature.text,
                            "status", cx_finding_status_name(finding->status), "count", (json_int_t)finding->count));
    }
    return list;
}

static void scenario_print(struct cx_campaign *campaign, const struct cx_explore *explore, const char *remark)
{
    const struct cx_totals *totals = &explore->totals;
    const char *name = explore->options->scenario;
    cx_live_clear(&campaign->live);
    printf("\n%s on %s: %" PRIu64 " runs, %" PRIu64 " failing (%.1f %%), %zu signature%s", name, campaign->target,
           totals->runs, totals->runs_failing,
           totals->runs > 0 ? 100.0 * (double)totals->runs_failing / (double)totals->runs : 0.0,
           explore->findings.count, explore->findings.count == 1 ? "" : "s");
    if (explore->options->strategy != CX_STRATEGY_NATIVE) {
        printf(", %zu distinct interleavings, %" PRIu64 " choices a run", totals->interleavings.count,
               totals->runs > 0 ? totals->choices / totals->runs : 0);
    }
    if (totals->runs_slow > 0) {
        printf(", %" PRIu64 " slow", totals->runs_slow);
    }
    printf("%s%s\n", remark[0] != '\0' ? "; " : "", remark);
    for (size_t i = 0; i < explore->findings.count; i++) {
        const struct cx_finding *finding = explore->findings.list[i];
        printf("  %6" PRIu64 " x %s%s%s%s\n", finding->count, finding->signature.text,
               finding->known != NULL ? finding->regressed ? "; regressed: " : "; known: " : "",
               finding->known != NULL ? finding->known->issue : "",
               finding->status == CX_FINDING_DIVERGED ? " (diverged)" : "");
    }
    if (totals->shown[0] != '\0') {
        printf("  %s\n", totals->shown);
    }
    if (totals->uncontrolled[0] != '\0') {
        printf("  not under control: %s\n", totals->uncontrolled);
    }
    fflush(stdout);
}

json_t *cx_report_totals(const struct cx_campaign *campaign, const struct cx_explore *explore, const char *verdict)
{
    const struct cx_totals *totals = &explore->totals;
    json_t *line = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s?, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:f, s:f, "
        "s:f, s:o, s:s}",
        "type", "scenario", "scenario", explore->options->scenario, "target", campaign->target, "build_id",
        campaign->identity->build_id, "strategy", cx_strategy_name(explore->options->strategy), "verdict", verdict,
        "runs", (json_int_t)totals->runs, "runs_failing", (json_int_t)totals->runs_failing, "runs_skipped",
        (json_int_t)totals->runs_skipped, "runs_error", (json_int_t)totals->runs_error, "runs_parked",
        (json_int_t)totals->runs_parked, "runs_slow", (json_int_t)totals->runs_slow, "replays",
        (json_int_t)totals->replays, "choices", (json_int_t)totals->choices, "steps", (json_int_t)totals->steps,
        "interleavings_distinct", (json_int_t)totals->interleavings.count, "threads_max", (int)totals->threads_max,
        "cpu_s", (double)totals->cpu_ns / 1e9, "wall_s", (double)totals->wall_ns / 1e9, "fork_s",
        (double)totals->fork_ns / 1e9, "signatures", signatures_json(explore), "shown", totals->shown);
    cx_units_name(campaign, line);
    return line;
}

// Say which known defects should have shown themselves, and list them for the JSON line.
static json_t *unseen_report(const struct cx_campaign *campaign, const struct cx_explore *explore)
{
    const struct cx_known_entry *unseen[CX_UNSEEN_MAX];
    size_t count = cx_campaign_unseen(campaign, explore, unseen, CX_UNSEEN_MAX);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct cx_known_entry *entry = unseen[i];
        double rate = cx_known_place(entry, campaign->known_target, explore->options->scenario)->rate;
        printf("  possibly fixed: %s (%s): not seen in %" PRIu64 " runs; at least %.1f %% of them were to show it\n",
               entry->issue, entry->id, explore->totals.runs, 100 * rate);
        json_array_append_new(list, json_pack("{s:s, s:s, s:f}", "id", entry->id, "issue", entry->issue, "rate", rate));
    }
    return list;
}

const char *cx_verdict_remark(enum cx_verdict verdict)
{
    static const char *const remarks[CX_VERDICTS] = {
        "",
        "nothing that is not known",
        "",
        "the finding that is expected of it DID NOT COME",
        "NOTHING WAS EXPLORED: no point had more than one thread to choose from",
        "nothing was explored, which is what this canary is for",
        "does not apply here",
        "the harness failed"};
    return verdict < CX_VERDICTS ? remarks[verdict] : "?";
}

void cx_report_scenario(struct cx_campaign *campaign, const struct cx_explore *explore, enum cx_verdict verdict)
{
    const struct cx_totals *totals = &explore->totals;
    int missed = verdict == CX_VERDICT_NOTHING && cx_points_missed(explore->options->points, totals->accesses_seen);
    int sharded = campaign->options->shard.total > 0; // then one unit is no news: units.c tells of all of them
    if (!sharded || missed) {
        scenario_print(campaign, explore,
                       missed ? "NOTHING WAS EXPLORED: no plain access was a point (was it compiled with `constrictor "
                                "cc --access`, and are its accesses where --points-in says?)"
                              : cx_verdict_remark(verdict));
    }
    if (totals->error_text[0] != '\0') {
        printf("  %" PRIu64 " runs failed to start: %s\n", totals->runs_error, totals->error_text);
    }
    json_t *line = cx_report_totals(campaign, explore, cx_verdict_name(verdict));
    if (line != NULL) {
        json_object_set_new(line, "unseen", sharded ? json_array() : unseen_report(campaign, explore));
    }
    cx_results_write(&campaign->results, line, NULL);
}

void cx_report_live(struct cx_campaign *campaign, const struct cx_explore *explore)
{
    if (cx_results_progress_due(&campaign->results)) {
        cx_results_progress(&campaign->results, cx_report_totals(campaign, explore, NULL));
    }
    if (!cx_live_due(&campaign->live)) {
        return;
    }
    const struct cx_explore_options *options = explore->options;
    uint64_t runs = campaign->runs + explore->totals.runs;
    uint64_t elapsed_ns = cx_live_elapsed_ns(&campaign->live);
    char left[32] = "?";
    uint64_t now_ns = cx_clock_ns();
    if (options->deadline_ns != CX_NO_DEADLINE) {
        cx_live_duration_text(options->deadline_ns > now_ns ? options->deadline_ns - now_ns : 0, left);
    } else if (explore->totals.runs > 0 && options->runs_max != UINT64_MAX) {
        uint64_t scenario_ns = now_ns - explore->start_ns;
        uint64_t rest = options->runs_max - explore->totals.runs;
        cx_live_duration_text(scenario_ns / explore->totals.runs * rest, left);
    }
    char line[400];
    // The numbers first: a narrow terminal cuts the end.
    snprintf(line, sizeof(line),
             "%" PRIu64 " runs, %.1f/s, %" PRIu64 " findings, %" PRIu64 " interleavings, %s left: %s on %s", runs,
             (double)runs * 1e9 / (double)(elapsed_ns + 1), campaign->findings,
             campaign->interleavings + explore->totals.interleavings.count, left, options->scenario, campaign->target);
    cx_live_show(&campaign->live, line);
}

void cx_report_end(struct cx_campaign *campaign, enum cx_exit code)
{
    cx_live_clear(&campaign->live);
    cx_results_write(&campaign->results,
                     json_pack("{s:s, s:i, s:I, s:I, s:I, s:I, s:f}", "type", "end", "exit", (int)code, "runs",
                               (json_int_t)campaign->runs, "findings", (json_int_t)campaign->findings,
                               "findings_unexpected", (json_int_t)campaign->findings_unexpected, "findings_known",
                               (json_int_t)campaign->findings_known, "elapsed_s",
                               (double)cx_live_elapsed_ns(&campaign->live) / 1e9),
                     NULL);
}
