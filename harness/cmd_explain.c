// SPDX-License-Identifier: Apache-2.0
//
// cmd_explain: `constrictor explain` replays a schedule file and tells what happened, on one page.
#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/command.h"
#include "harness/detect/story.h"
#include "harness/exec/session.h"

#define CX_EXPLAIN_FRAMES_MAX 10

static char doc[] = "Tell the story of a schedule file: who was stopped where, who went on, and how it ended."
                    "\vShrink the file first. Exit code 0: the story is that of the recorded finding; 1: the replay "
                    "went another way, and the story is that of the replay.";
static char arguments_doc[] = "FILE";

enum option_key { KEY_FORCE = 0x100, KEY_FULL };

static const struct argp_option options[] = {
    {"full", KEY_FULL, NULL, 0, "Complete stacks, with the frames of the harness", 0},
    {"force", KEY_FORCE, NULL, 0, "Try a schedule that was made on another build", 0},
    {0},
};

struct explain_options {
    const char *path;
    int full;
    int force;
};

static error_t option_parse(int key, char *argument, struct argp_state *state)
{
    struct explain_options *explain = state->input;
    struct cx_error error = {0};
    switch (key) {
    case KEY_FULL:
        explain->full = 1;
        return 0;
    case KEY_FORCE:
        explain->force = 1;
        return 0;
    case ARGP_KEY_ARG:
        if (explain->path == NULL) {
            explain->path = argument;
            return 0;
        }
        cx_error_set(&error, CX_ERR_USAGE, "\"%s\" is one file too many", argument);
        cx_command_usage("explain", &error);
    case ARGP_KEY_END:
        if (explain->path != NULL) {
            return 0;
        }
        cx_error_set(&error, CX_ERR_USAGE, "name a schedule file");
        cx_command_usage("explain", &error);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void header_print(const struct cx_session *session, const char *path)
{
    const struct cx_schedule *schedule = &session->schedule;
    const struct cx_identity *identity = cx_worker_identity(session->worker);
    const struct cx_result *result = cx_worker_result(session->worker);
    const struct cx_scenario_info *info = &session->info;
    printf("The story of %s\n\n", path);
    printf("  What      %s\n", schedule->signature);
    printf("  Where     %s%s%s, build %.16s\n", schedule->target, identity->python[0] != '\0' ? ", CPython " : "",
           identity->python, identity->build_id);
    printf("  Scenario  %s: %s%s%s%s\n", info->name, info->summary, info->refs[0] != '\0' ? " (" : "", info->refs,
           info->refs[0] != '\0' ? ")" : "");
    size_t preemptions = cx_schedule_preemptions(schedule->deviations, (size_t)schedule->deviations_count);
    printf("  Schedule  %" PRIu64 " deviation%s from the default order (the running thread runs on), %zu of them %s\n",
           schedule->deviations_count, schedule->deviations_count == 1 ? "" : "s", preemptions,
           preemptions == 1 ? "a preemption" : "preemptions");
    printf("  Run       %" PRIu64 " steps, %" PRIu64 " switches, %u threads, %.3f ms of virtual time\n\n",
           result->steps, result->switches, result->threads_count, (double)result->time_ns / 1e6);
}

static enum cx_exit story_tell(struct cx_session *session, const struct explain_options *explain,
                               struct cx_error *error)
{
    const struct cx_result *result = cx_worker_result(session->worker);
    struct cx_step *steps = NULL;
    size_t steps_count = 0;
    enum cx_status status = cx_worker_log(session->worker, &steps, &steps_count, error);
    if (status != CX_OK) {
        return cx_command_fail(status, error);
    }
    struct cx_story story = {
        .render = {.stream = stdout,
                   .resolver = &session->resolver,
                   .frames_max = explain->full ? UINT32_MAX : CX_EXPLAIN_FRAMES_MAX,
                   .full = explain->full},
        .result = result,
        .steps = steps,
        .steps_count = steps_count,
    };
    int same = cx_session_same(session);
    header_print(session, explain->path);
    if (!same) {
        char outcome[1200];
        cx_session_outcome_text(session, outcome, sizeof(outcome));
        printf("THE REPLAY WENT ANOTHER WAY: %s\n\n", outcome);
    }
    cx_story_switches(&story);
    enum cx_outcome kind = (enum cx_outcome)result->outcome;
    uint32_t race = CX_RACE_NONE;
    for (uint32_t i = 0; i < session->symptoms.count; i++) {
        const struct cx_symptom *symptom = &session->symptoms.list[i];
        if (!same || strcmp(symptom->signature.id, session->signature_id) == 0) {
            kind = symptom->kind;
            race = symptom->race;
            break;
        }
    }
    cx_story_end(&story, kind, race);
    free(steps);
    return same ? CX_EXIT_OK : CX_EXIT_FINDINGS;
}

enum cx_exit cx_cmd_explain(int argc, char **argv)
{
    static const struct argp argp = {options, option_parse, arguments_doc, doc, NULL, NULL, NULL};
    struct explain_options explain = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &explain);
    struct cx_error error = {0};
    struct cx_session *session = calloc(1, sizeof(*session));
    if (session == NULL) {
        return CX_EXIT_ENVIRONMENT;
    }
    enum cx_status status = cx_session_open(session, explain.path, explain.force, &error);
    if (status == CX_OK) {
        status = cx_session_play(session, session->schedule.deviations, (size_t)session->schedule.deviations_count,
                                 CX_MODE_STRICT | CX_MODE_EXPLAIN | CX_MODE_LOG, &error);
    }
    enum cx_exit code = status == CX_OK ? story_tell(session, &explain, &error) : cx_command_fail(status, &error);
    cx_session_close(session);
    free(session);
    return code;
}
