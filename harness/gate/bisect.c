// SPDX-License-Identifier: Apache-2.0
//
// bisect: see bisect.h.
#include "harness/gate/bisect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/exec/canary.h"
#include "harness/exec/clock.h"
#include "harness/exec/interrupt.h"
#include "harness/exec/tools.h"
#include "harness/gate/side.h"
#include "harness/trace/schedule.h"

struct bisect {
    const struct cx_bisect_options *options;
    struct cx_campaign_options run;
    struct cx_schedule schedule; // empty without --schedule
    regex_t wanted;
    struct cx_live live;
    struct cx_gate_target target;
    struct cx_gate_sights sights;
    uint64_t asked; // scenarios that were explored
    uint64_t runs;
};

// A signature as an expression that fits it alone: what is special in one stands in brackets, or behind a backslash.
static void signature_expression(const char *signature, char *text, size_t text_bytes)
{
    size_t at = 0;
    text[at++] = '^';
    for (; *signature != '\0' && at + 5 < text_bytes; signature++) {
        if (*signature == '^' || *signature == '\\') {
            text[at++] = '\\';
            text[at++] = *signature;
        } else if (strchr(".[()*+?{|$", *signature) != NULL) {
            text[at++] = '[';
            text[at++] = *signature;
            text[at++] = ']';
        } else {
            text[at++] = *signature;
        }
    }
    text[at++] = '$';
    text[at] = '\0';
}

// What makes a tree bad: what --stop-at fits; else the signature of the schedule file; else any finding.
static enum cx_status wanted_prepare(struct bisect *bisect, struct cx_error *error)
{
    char own[3 * sizeof(bisect->schedule.signature) + 8] = "";
    const char *text = bisect->options->gate->stop_at;
    if (bisect->options->schedule != NULL) {
        enum cx_status status = cx_schedule_read(&bisect->schedule, bisect->options->schedule, error);
        if (status != CX_OK) {
            return status;
        }
        if (bisect->schedule.subject[0] != '\0' || bisect->schedule.signature[0] == '\0') {
            return cx_error_set(error, CX_ERR_USAGE, "%s is not the schedule of a scenario's finding",
                                bisect->options->schedule);
        }
        signature_expression(bisect->schedule.signature, own, sizeof(own));
        cx_names_fini(&bisect->run.patterns);
        cx_names_append(&bisect->run.patterns, bisect->schedule.scenario);
    }
    return cx_gate_stop_at_compile(&bisect->wanted, text != NULL ? text : own, error);
}

static enum cx_status target_open(struct bisect *bisect, const char *name, struct cx_error *error)
{
    struct cx_gate_target *target = &bisect->target;
    uint32_t count = 0;
    uint32_t found = 0;
    target->side = CX_GATE_CANDIDATE;
    target->live = &bisect->live;
    target->progress = "";
    target->sights = &bisect->sights;
    target->campaign.options = &bisect->run;
    enum cx_status status = cx_symbolizer_new(&target->campaign.symbolizer, NULL, error);
    if (status == CX_OK) {
        status = cx_gate_side_open(target, name, error);
    }
    if (status == CX_OK) {
        const struct cx_scenario_info *all = cx_worker_scenarios(target->crew.workers[0], &count);
        status = cx_campaign_patterns_check(&bisect->run.patterns, all, count, error);
    }
    return status == CX_OK ? cx_gate_side_canaries(target, &found, error) : status;
}

// Follow the schedule of the file as far as it can be followed in this tree.
static enum cx_status schedule_follow(struct bisect *bisect, const char *scenario, struct cx_error *error)
{
    struct cx_signature signature;
    cx_signature_parse(&signature, bisect->schedule.signature);
    struct cx_gate_sight *sight = cx_gate_sights_get(&bisect->sights, &signature);
    size_t bytes = bisect->schedule.deviations_count * sizeof(*sight->plan);
    if (sight != NULL) {
        sight->plan = malloc(bytes + 1);
    }
    if (sight == NULL || sight->plan == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    if (bytes > 0) {
        memcpy(sight->plan, bisect->schedule.deviations, bytes);
    }
    sight->plan_count = bisect->schedule.deviations_count;
    sight->seed = bisect->schedule.seed;
    return cx_gate_side_follow(&bisect->target, scenario, 0, error);
}

// Index of a confirmed sight that is looked for, or -1.
static ssize_t bad_find(const struct bisect *bisect)
{
    for (size_t i = 0; i < bisect->sights.count; i++) {
        const struct cx_gate_sight *sight = &bisect->sights.list[i];
        int fits = regexec(&bisect->wanted, sight->signature.text, 0, NULL, 0) == 0;
        if (fits && sight->sides[CX_GATE_CANDIDATE].confirmed) {
            return (ssize_t)i;
        }
    }
    return -1;
}

// One scenario: CX_BISECT_BAD with the finding printed, CX_BISECT_GOOD, or CX_BISECT_SKIP with the reason in `error`.
static int scenario_judge(struct bisect *bisect, const char *scenario, uint64_t deadline_ns, struct cx_error *error)
{
    enum cx_status status = CX_OK;
    struct cx_gate_stint stint = {.scenario = scenario,
                                  .strategy = bisect->run.strategy,
                                  .runs_max = bisect->run.runs_max,
                                  .deadline_ns = deadline_ns,
                                  .cpu_ns_max = bisect->options->gate->cpu_ns_max,
                                  .stop_at = &bisect->wanted};
    if (bisect->options->schedule != NULL) {
        status = schedule_follow(bisect, scenario, error);
    }
    if (status == CX_OK && bad_find(bisect) < 0) {
        status = cx_gate_side_explore(&bisect->target, &stint, error);
    }
    bisect->runs += stint.runs;
    ssize_t bad = bad_find(bisect);
    cx_live_clear(&bisect->live);
    if (bad >= 0) {
        const struct cx_gate_sight *sight = &bisect->sights.list[bad];
        printf("bad: %s: %s\n", scenario, sight->signature.text);
        if (sight->sides[CX_GATE_CANDIDATE].schedule[0] != '\0') {
            printf("  constrictor replay %s\n", sight->sides[CX_GATE_CANDIDATE].schedule);
        }
        return CX_BISECT_BAD;
    }
    if (status != CX_OK) {
        return status == CX_ERR_INTERRUPTED ? (int)CX_EXIT_INTERRUPTED : (int)CX_BISECT_SKIP;
    }
    if (stint.skipped || stint.nothing) {
        cx_error_set(error, CX_ERR_NOTHING, "%s has explored nothing in this tree", scenario);
        return CX_BISECT_SKIP;
    }
    bisect->asked++;
    return CX_BISECT_GOOD;
}

static int scenarios_judge(struct bisect *bisect, struct cx_error *error)
{
    uint32_t count = 0;
    int code = CX_BISECT_GOOD;
    uint64_t time_ns = bisect->run.time_max_ns;
    uint64_t deadline_ns = time_ns == 0 ? CX_NO_DEADLINE : cx_clock_ns() + time_ns;
    cx_worker_scenarios(bisect->target.crew.workers[0], &count);
    for (uint32_t i = 0; i < count && code == CX_BISECT_GOOD; i++) {
        const struct cx_scenario_info info = cx_worker_scenarios(bisect->target.crew.workers[0], &count)[i];
        if (!info.applicable || cx_canary_is(info.name) || !cx_campaign_selected(&bisect->run.patterns, info.name)) {
            continue;
        }
        code = cx_interrupted() ? (int)CX_EXIT_INTERRUPTED : scenario_judge(bisect, info.name, deadline_ns, error);
        cx_gate_sights_fini(&bisect->sights);
    }
    if (code == CX_BISECT_GOOD && bisect->asked == 0) {
        cx_error_set(error, CX_ERR_NOTHING, "none of the scenarios applies to this tree");
        return CX_BISECT_SKIP;
    }
    return code;
}

// The tree as a target of its own name, which the next tree takes over.
static int tree_judge(struct bisect *bisect, struct cx_error *error)
{
    char name[80];
    snprintf(name, sizeof(name), "bisect-%.40s", bisect->options->build);
    enum cx_exit built = cx_tools_target_add(name, bisect->options->source, bisect->options->build, error);
    if (built == CX_EXIT_USAGE) {
        return CX_BISECT_STOP;
    }
    if (built != CX_EXIT_OK) {
        if (error->text[0] == '\0') {
            cx_error_set(error, CX_ERR_ENVIRONMENT, "this tree does not build");
        }
        return built == CX_EXIT_INTERRUPTED ? (int)built : (int)CX_BISECT_SKIP;
    }
    enum cx_status status = target_open(bisect, name, error);
    if (status == CX_ERR_USAGE) {
        return CX_BISECT_STOP;
    }
    if (status != CX_OK) {
        return status == CX_ERR_INTERRUPTED ? (int)CX_EXIT_INTERRUPTED : (int)CX_BISECT_SKIP;
    }
    return scenarios_judge(bisect, error);
}

int cx_gate_bisect(const struct cx_bisect_options *options)
{
    struct cx_error error = {0};
    struct bisect *bisect = calloc(1, sizeof(*bisect));
    if (bisect == NULL) {
        return CX_BISECT_STOP;
    }
    bisect->options = options;
    bisect->run = options->gate->run;
    memset(&bisect->run.patterns, 0, sizeof(bisect->run.patterns));
    for (size_t i = 0; i < options->gate->run.patterns.count; i++) {
        cx_names_append(&bisect->run.patterns, options->gate->run.patterns.list[i]);
    }
    cx_live_init(&bisect->live);
    int code = CX_BISECT_STOP;
    enum cx_status status = wanted_prepare(bisect, &error);
    if (status == CX_OK) {
        status = cx_campaign_out_prepare(bisect->run.out_dir, &error);
        code = status == CX_OK ? tree_judge(bisect, &error) : CX_BISECT_STOP;
        regfree(&bisect->wanted);
    }
    cx_live_clear(&bisect->live);
    if (code == CX_BISECT_GOOD) {
        printf("good: nothing in %" PRIu64 " runs of %" PRIu64 " scenario%s\n", bisect->runs, bisect->asked,
               bisect->asked == 1 ? "" : "s");
    } else if (code != CX_BISECT_BAD) {
        fprintf(stderr, "constrictor: %s%s\n", code == CX_BISECT_SKIP ? "this tree is left out: " : "", error.text);
    }
    cx_gate_sights_fini(&bisect->sights);
    cx_gate_side_close(&bisect->target);
    cx_symbolizer_free(bisect->target.campaign.symbolizer);
    cx_schedule_fini(&bisect->schedule);
    cx_names_fini(&bisect->run.patterns);
    free(bisect);
    return code;
}
