// SPDX-License-Identifier: Apache-2.0
//
// gate: see gate.h.
#include "harness/gate/gate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/command.h"
#include "harness/exec/canary.h"
#include "harness/exec/clock.h"
#include "harness/exec/interrupt.h"
#include "harness/exec/targets.h"
#include "harness/gate/compare.h"
#include "harness/gate/state.h"
#include "harness/options.h"

#define CX_GATE_REST_NS_MIN 2000000000ULL

struct gate {
    struct cx_gate_options *options;
    struct cx_gate_state state;
    struct cx_symbolizer *symbolizer;
    struct cx_live live;
    struct cx_gate_compare compare;
    uint64_t started_ns;
    uint64_t spent_ns; // before: by the gate that this one goes on with
    uint64_t end_ns;   // of all pairs together
    char progress[80];
};

enum cx_status cx_gate_stop_at_compile(regex_t *expression, const char *text, struct cx_error *error)
{
    char reason[120];
    int failed = regcomp(expression, text, REG_EXTENDED | REG_NOSUB);
    if (failed == 0) {
        return CX_OK;
    }
    regerror(failed, expression, reason, sizeof(reason));
    return cx_error_set(error, CX_ERR_USAGE, "--stop-at %s: %s", text, reason);
}

static void result_print(struct gate *gate, const struct cx_gate_result *result)
{
    cx_live_clear(&gate->live);
    printf("%-16s %s: %s -> %s%s%s\n", cx_gate_verdict_name(result->verdict), result->scenario,
           result->targets[CX_GATE_BASELINE], result->targets[CX_GATE_CANDIDATE], result->reason[0] != '\0' ? ": " : "",
           result->reason);
    for (size_t i = 0; i < gate->compare.sights.count; i++) {
        const struct cx_gate_sight *sight = &gate->compare.sights.list[i];
        enum cx_gate_side missing;
        printf("    %s: %s%s%s\n", cx_gate_verdict_name(sight->verdict), sight->signature.text,
               sight->issue[0] != '\0' ? ", known: " : "", sight->issue);
        if (cx_gate_one_sided(sight, &missing)) {
            const char *schedule = sight->sides[!missing].schedule;
            printf("      not on %s in %" PRIu64 " schedules%s; %s%s\n", result->targets[missing],
                   sight->sides[missing].schedules, sight->sides[missing].expected ? ", but known there" : "",
                   schedule[0] != '\0' ? "constrictor replay " : "its schedule is too long to be kept", schedule);
            if (sight->sides[!missing].doubt[0] != '\0') {
                printf("      %s: %s\n", sight->sides[!missing].confirmed ? "differs" : "not confirmed",
                       sight->sides[!missing].doubt);
            }
        }
    }
    fflush(stdout);
}

// The time was over in the middle of it: what both sides have played by then counts.
static void result_cut(struct cx_gate_result *result, struct cx_gate_sights *sights)
{
    if (result->runs[CX_GATE_BASELINE] > 0 && result->runs[CX_GATE_CANDIDATE] > 0) {
        return;
    }
    result->verdict = CX_GATE_NOT_COMPARABLE;
    result->reason = CX_GATE_NO_TIME;
    for (size_t i = 0; i < sights->count; i++) {
        sights->list[i].verdict = CX_GATE_UNCERTAIN;
    }
}

// Ask a scenario, for the first time or, with its result of before, once more; print the result and keep it.
static enum cx_status scenario_gate(struct gate *gate, const char *scenario, const json_t *before,
                                    struct cx_error *error)
{
    struct cx_gate_result result = {.scenario = scenario, .reason = "", .sights = &gate->compare.sights};
    for (int at = CX_GATE_BASELINE; at < CX_GATE_SIDES; at++) {
        result.targets[at] = gate->compare.sides[at].campaign.target;
    }
    const char *reason = cx_gate_incomparable(&gate->compare, scenario);
    enum cx_status status = CX_OK;
    if (reason != NULL) {
        result.verdict = CX_GATE_NOT_COMPARABLE;
        result.reason = reason;
    } else if (cx_interrupt_timed_out()) {
        status = CX_ERR_INTERRUPTED;
    } else if (before != NULL) {
        cx_gate_state_recall(before, &result, &gate->compare.sights);
        status = cx_gate_compare_more(&gate->compare, &result, error);
    } else {
        status = cx_gate_compare_first(&gate->compare, &result, error);
    }
    if (status == CX_ERR_INTERRUPTED && cx_interrupt_timed_out()) {
        status = CX_OK;
        result_cut(&result, &gate->compare.sights);
    }
    if (status == CX_OK && result.verdict != CX_GATE_NOT_COMPARABLE) {
        result.verdict = cx_gate_judge(&gate->compare.sights);
    }
    if (status == CX_OK) {
        result.spent_ns = gate->spent_ns + cx_clock_ns() - gate->started_ns;
        if (before == NULL || gate->compare.sights.count > json_array_size(json_object_get(before, "findings"))) {
            result_print(gate, &result);
        }
        status = cx_gate_state_add(&gate->state, &result, error);
    }
    cx_gate_sights_fini(&gate->compare.sights);
    return status;
}

static enum cx_status sides_open(struct gate *gate, size_t pair, struct cx_error *error)
{
    enum cx_status status = CX_OK;
    for (int at = CX_GATE_BASELINE; at < CX_GATE_SIDES && status == CX_OK; at++) {
        struct cx_gate_target *target = &gate->compare.sides[at];
        uint32_t found = 0;
        target->side = (enum cx_gate_side)at;
        target->live = &gate->live;
        target->progress = gate->progress;
        target->sights = &gate->compare.sights;
        target->campaign.options = &gate->options->run;
        target->campaign.symbolizer = gate->symbolizer;
        status = cx_gate_side_open(target, gate->options->sides[at].list[pair], error);
        if (status == CX_OK) {
            status = cx_gate_side_canaries(target, &found, error);
        }
        if (status == CX_OK) {
            cx_live_clear(&gate->live);
            printf("%s: %u canaries found\n", target->campaign.target, found);
        }
    }
    return status;
}

// The scenarios that this gate asks; the canaries have been.
static void scenarios_list(const struct gate *gate, struct cx_names *names)
{
    for (int at = CX_GATE_BASELINE; at < CX_GATE_SIDES; at++) {
        uint32_t count = 0;
        const struct cx_scenario_info *scenarios = cx_worker_scenarios(gate->compare.sides[at].crew.workers[0], &count);
        for (uint32_t i = 0; i < count; i++) {
            if (!cx_canary_is(scenarios[i].name) &&
                cx_campaign_selected(&gate->options->run.patterns, scenarios[i].name)) {
                cx_names_add(names, scenarios[i].name);
            }
        }
    }
}

// The time that is left goes to the scenarios that have found most, a turn at a time. Each turn may be cut, but its
// first runs are played: so the end comes a little before the deadline.
static enum cx_status rest_gate(struct gate *gate, struct cx_error *error)
{
    const char *baseline = gate->compare.sides[CX_GATE_BASELINE].campaign.target;
    const char *candidate = gate->compare.sides[CX_GATE_CANDIDATE].campaign.target;
    enum cx_status status = CX_OK;
    gate->compare.scenarios_left = 1;
    snprintf(gate->progress, sizeof(gate->progress), "more ");
    while (status == CX_OK && cx_clock_ns() + CX_GATE_REST_NS_MIN < gate->compare.deadline_ns) {
        const json_t *before = cx_gate_state_richest(&gate->state, baseline, candidate, gate->options->run.runs_max);
        if (before == NULL) {
            break;
        }
        json_t *kept = json_deep_copy(before); // the new result takes its place
        status = cx_interrupted()
                     ? cx_error_set(error, CX_ERR_INTERRUPTED, "interrupted")
                     : scenario_gate(gate, json_string_value(json_object_get(kept, "scenario")), kept, error);
        json_decref(kept);
    }
    return status;
}

static void progress_write(struct gate *gate, size_t number, size_t count)
{
    uint64_t now_ns = cx_clock_ns();
    char left[32] = "";
    if (gate->end_ns != CX_NO_DEADLINE) {
        cx_live_duration_text(gate->end_ns > now_ns ? gate->end_ns - now_ns : 0, left);
    }
    snprintf(gate->progress, sizeof(gate->progress), "%zu/%zu%s%s%s ", number, count, left[0] != '\0' ? ", " : "", left,
             left[0] != '\0' ? " left:" : "");
}

static enum cx_status pair_gate(struct gate *gate, size_t pair, struct cx_error *error)
{
    struct cx_names names = {0};
    uint32_t count = 0;
    enum cx_status status = sides_open(gate, pair, error);
    if (status == CX_OK) {
        const struct cx_worker *worker = gate->compare.sides[CX_GATE_CANDIDATE].crew.workers[0];
        const struct cx_scenario_info *all = cx_worker_scenarios(worker, &count);
        status = cx_campaign_patterns_check(&gate->options->run.patterns, all, count, error);
    }
    if (status == CX_OK) {
        scenarios_list(gate, &names);
    }
    for (size_t i = 0; i < names.count && status == CX_OK; i++) {
        gate->compare.scenarios_left = names.count - i;
        progress_write(gate, i + 1, names.count);
        if (!cx_gate_state_have(&gate->state, names.list[i], gate->compare.sides[CX_GATE_BASELINE].campaign.target,
                                gate->compare.sides[CX_GATE_CANDIDATE].campaign.target)) {
            status = cx_interrupted() && !cx_interrupt_timed_out()
                         ? cx_error_set(error, CX_ERR_INTERRUPTED, "interrupted")
                         : scenario_gate(gate, names.list[i], NULL, error);
        }
    }
    if (status == CX_OK && gate->options->rest && gate->compare.deadline_ns != CX_NO_DEADLINE) {
        status = rest_gate(gate, error);
    }
    cx_names_fini(&names);
    for (int at = CX_GATE_BASELINE; at < CX_GATE_SIDES; at++) {
        cx_gate_side_close(&gate->compare.sides[at]);
    }
    if (status == CX_ERR_INTERRUPTED && cx_interrupt_timed_out()) {
        return cx_error_set(error, CX_ERR_NOTHING, "the time was over before all canaries had been found");
    }
    return status;
}

static json_t *names_json(const struct cx_names *names)
{
    json_t *list = json_array();
    for (size_t i = 0; i < names->count; i++) {
        json_array_append_new(list, json_string(names->list[i]));
    }
    return list;
}

static json_t *asked_json(const struct cx_gate_options *options)
{
    const struct cx_campaign_options *run = &options->run;
    return json_pack(
        "{s:s, s:i, s:s, s:s, s:o, s:o, s:o, s:s, s:I, s:I, s:I, s:I, s:i, s:I, s:s*, s:b}", "type", "gate", "format",
        CX_GATE_FORMAT, "version", CONSTRICTOR_VERSION, "command", run->command, "baseline",
        names_json(&options->sides[CX_GATE_BASELINE]), "candidate", names_json(&options->sides[CX_GATE_CANDIDATE]),
        "scenarios", names_json(&run->patterns), "strategy", cx_strategy_name(run->strategy), "seed",
        (json_int_t)run->seed, "runs", (json_int_t)run->runs_max, "search", (json_int_t)options->search_max, "time_ms",
        (json_int_t)(run->time_max_ns / CX_NS_PER_MS), "jobs", (int)run->jobs, "cpu_ms",
        (json_int_t)(options->cpu_ns_max / CX_NS_PER_MS), "stop_at", options->stop_at, "rest", options->rest);
}

static void names_restore(struct cx_names *names, const json_t *list)
{
    cx_names_fini(names);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        cx_names_append(names, text != NULL ? text : "");
    }
}

// What was asked for, from the file's first line.
static enum cx_status asked_restore(struct cx_gate_options *options, const json_t *asked, struct cx_error *error)
{
    struct cx_campaign_options *run = &options->run;
    names_restore(&options->sides[CX_GATE_BASELINE], json_object_get(asked, "baseline"));
    names_restore(&options->sides[CX_GATE_CANDIDATE], json_object_get(asked, "candidate"));
    names_restore(&run->patterns, json_object_get(asked, "scenarios"));
    run->seed = (uint64_t)json_integer_value(json_object_get(asked, "seed"));
    run->runs_max = (uint64_t)json_integer_value(json_object_get(asked, "runs"));
    if (!options->time_given) {
        run->time_max_ns = (uint64_t)json_integer_value(json_object_get(asked, "time_ms")) * CX_NS_PER_MS;
    }
    run->jobs = (uint32_t)json_integer_value(json_object_get(asked, "jobs"));
    options->search_max = (uint64_t)json_integer_value(json_object_get(asked, "search"));
    options->cpu_ns_max = (uint64_t)json_integer_value(json_object_get(asked, "cpu_ms")) * CX_NS_PER_MS;
    options->rest = json_is_true(json_object_get(asked, "rest"));
    options->stop_at = json_string_value(json_object_get(asked, "stop_at"));
    const char *strategy = json_string_value(json_object_get(asked, "strategy"));
    if (strategy == NULL || run->runs_max == 0 ||
        options->sides[CX_GATE_BASELINE].count != options->sides[CX_GATE_CANDIDATE].count) {
        return cx_error_set(error, CX_ERR_FORMAT, "gate.jsonl, line 1: something is missing");
    }
    return cx_option_strategy(strategy, &run->strategy, error);
}

static enum cx_status gate_prepare(struct gate *gate, struct cx_error *error)
{
    struct cx_gate_options *options = gate->options;
    enum cx_status status = CX_OK;
    if (options->resume_dir != NULL) {
        options->run.out_dir = options->resume_dir;
        status = cx_gate_state_resume(&gate->state, options->resume_dir, error);
        status = status == CX_OK ? asked_restore(options, gate->state.asked, error) : status;
    }
    if (status == CX_OK && options->stop_at != NULL) {
        status = cx_gate_stop_at_compile(&gate->compare.stop_at, options->stop_at, error);
        gate->compare.stopping = status == CX_OK;
    }
    for (size_t i = 0; i < options->sides[0].count && status == CX_OK; i++) {
        char ignored[PATH_MAX];
        status = cx_targets_runner(options->sides[CX_GATE_BASELINE].list[i], ignored, error);
        if (status == CX_OK) {
            status = cx_targets_runner(options->sides[CX_GATE_CANDIDATE].list[i], ignored, error);
        }
    }
    if (status == CX_OK && options->resume_dir == NULL) {
        status = cx_campaign_out_prepare(options->run.out_dir, error);
        status = status == CX_OK ? cx_gate_state_create(&gate->state, options->run.out_dir, asked_json(options), error)
                                 : status;
    }
    for (int at = CX_GATE_BASELINE; at < CX_GATE_SIDES && status == CX_OK; at++) {
        status = cx_known_load(&gate->compare.sides[at].campaign.known, options->run.known_path, error);
    }
    return status == CX_OK ? cx_symbolizer_new(&gate->symbolizer, NULL, error) : status;
}

static enum cx_exit exit_of(const struct gate *gate, enum cx_status status)
{
    uint64_t asked = json_array_size(gate->state.results);
    if (status != CX_OK) {
        return cx_status_exit(status);
    }
    if (asked == cx_gate_state_count(&gate->state, CX_GATE_NOT_COMPARABLE)) {
        return CX_EXIT_NOTHING;
    }
    if (cx_gate_state_count(&gate->state, CX_GATE_NEW) > 0) {
        return CX_EXIT_FINDINGS;
    }
    return cx_gate_state_left_out(&gate->state) > 0 ? CX_EXIT_NOTHING : CX_EXIT_OK;
}

static void end_print(const struct gate *gate, enum cx_exit code)
{
    printf("\n");
    for (unsigned verdict = 0; verdict < CX_GATE_VERDICTS; verdict++) {
        printf("%s%" PRIu64 " %s", verdict > 0 ? ", " : "", cx_gate_state_count(&gate->state, verdict),
               cx_gate_verdict_name(verdict));
    }
    printf("\n");
    uint64_t left_out = cx_gate_state_left_out(&gate->state);
    if (left_out > 0) {
        fprintf(stderr,
                "constrictor: for %" PRIu64 " scenarios there was no time; `constrictor gate --resume %s --for TIME` "
                "asks them\n",
                left_out, gate->options->run.out_dir);
    } else if (code == CX_EXIT_NOTHING) {
        fprintf(stderr, "constrictor: nothing could be compared, so this is no pass\n");
    } else if (code == CX_EXIT_INTERRUPTED) {
        fprintf(stderr, "constrictor: `constrictor gate --resume %s` goes on\n", gate->options->run.out_dir);
    }
}

// When this gate ends; a gate that goes on has what is left of its time, or what it is given.
static enum cx_status time_begin(struct gate *gate, struct cx_error *error)
{
    const struct cx_gate_options *options = gate->options;
    uint64_t time_ns = options->run.time_max_ns;
    gate->started_ns = cx_clock_ns();
    gate->spent_ns = cx_gate_state_spent_ns(&gate->state);
    if (time_ns == 0) {
        gate->end_ns = CX_NO_DEADLINE;
        return CX_OK;
    }
    uint64_t before_ns = options->time_given ? 0 : gate->spent_ns; // a new gate has spent nothing
    if (time_ns <= before_ns) {
        return cx_error_set(error, CX_ERR_USAGE, "--resume %s: its time is over; --for TIME gives it more",
                            options->resume_dir);
    }
    gate->end_ns = gate->started_ns + time_ns - before_ns;
    return CX_OK;
}

enum cx_exit cx_gate_run(struct cx_gate_options *options)
{
    struct cx_error error = {0};
    struct gate *gate = calloc(1, sizeof(*gate));
    if (gate == NULL) {
        return CX_EXIT_ENVIRONMENT;
    }
    gate->options = options;
    gate->compare.options = options;
    cx_live_init(&gate->live);
    enum cx_status status = gate_prepare(gate, &error);
    status = status == CX_OK ? time_begin(gate, &error) : status;
    int began = status == CX_OK;
    for (size_t i = 0; i < options->sides[0].count && status == CX_OK; i++) {
        uint64_t now_ns = cx_clock_ns();
        uint64_t part_ns = gate->end_ns > now_ns ? (gate->end_ns - now_ns) / (options->sides[0].count - i) : 0;
        gate->compare.deadline_ns = gate->end_ns == CX_NO_DEADLINE ? CX_NO_DEADLINE : now_ns + part_ns;
        cx_interrupt_limit_set(gate->compare.deadline_ns);
        status = pair_gate(gate, i, &error);
    }
    cx_interrupt_limit_set(CX_NO_DEADLINE);
    int complete = status == CX_OK && cx_gate_state_left_out(&gate->state) == 0;
    enum cx_exit code = exit_of(gate, status);
    cx_live_clear(&gate->live);
    if (status != CX_OK) {
        fprintf(stderr, "constrictor: %s\n", error.text);
    }
    if (began) {
        end_print(gate, code);
        if (cx_gate_summary_write(&gate->state, complete, (int)code, options->markdown_path, options->json_path,
                                  &error) != CX_OK) {
            code = cx_command_fail(CX_ERR_ENVIRONMENT, &error);
        }
    }
    for (int at = CX_GATE_BASELINE; at < CX_GATE_SIDES; at++) {
        cx_known_fini(&gate->compare.sides[at].campaign.known);
    }
    if (gate->compare.stopping) {
        regfree(&gate->compare.stop_at);
    }
    cx_symbolizer_free(gate->symbolizer);
    cx_gate_state_close(&gate->state);
    free(gate);
    return code;
}
