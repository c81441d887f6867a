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
#include "harness/exec/needed.h"
#include "harness/exec/session.h"
#include "harness/store/store.h"

#define CX_EXPLAIN_FRAMES_MAX 10
#define CX_EXPLAIN_ORDERS_MAX 12 // deviations of a schedule whose order is tried

static char doc[] = "Tell the story of a schedule file: who was stopped where, who went on, and how it ended."
                    "\vShrink the file first. Exit code 0: the story is that of the recorded finding; 1: the replay "
                    "went another way, and the story is that of the replay.";
static char arguments_doc[] = "FILE";

enum option_key { KEY_FORCE = 0x100, KEY_FULL, KEY_STORE };

static const struct argp_option options[] = {
    {"full", KEY_FULL, NULL, 0, "Complete stacks, with the frames of the harness", 0},
    {"store", KEY_STORE, "FILE", 0, "Keep the schedule and its story with the finding in this store, for reports", 0},
    {"force", KEY_FORCE, NULL, 0, "Try a schedule that was made on another build", 0},
    {0},
};

struct explain_options {
    const char *path;
    const char *store_path; // or NULL
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
    case KEY_STORE:
        explain->store_path = argument;
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

static void header_print(FILE *stream, const struct cx_session *session, const char *path)
{
    const struct cx_schedule *schedule = &session->schedule;
    const struct cx_identity *identity = cx_worker_identity(session->worker);
    const struct cx_result *result = cx_worker_result(session->worker);
    const struct cx_scenario_info *info = &session->info;
    fprintf(stream, "The story of %s\n\n", path);
    fprintf(stream, "  What      %s\n", schedule->signature);
    fprintf(stream, "  Where     %s%s%s, build %.16s\n", schedule->target,
            identity->python[0] != '\0' ? ", CPython " : "", identity->python, identity->build_id);
    fprintf(stream, "  Scenario  %s: %s%s%s%s\n", info->name, info->summary, info->refs[0] != '\0' ? " (" : "",
            info->refs, info->refs[0] != '\0' ? ")" : "");
    size_t preemptions = cx_schedule_preemptions(schedule->deviations, (size_t)schedule->deviations_count);
    fprintf(stream,
            "  Schedule  %" PRIu64 " deviation%s from the default order (the running thread runs on), %zu of them %s\n",
            schedule->deviations_count, schedule->deviations_count == 1 ? "" : "s", preemptions,
            preemptions == 1 ? "a preemption" : "preemptions");
    fprintf(stream, "  Run       %" PRIu64 " steps, %" PRIu64 " switches, %u threads, %.3f ms of virtual time\n\n",
            result->steps, result->switches, result->threads_count, (double)result->time_ns / 1e6);
}

// Keep what was told with the finding: of two stories the one of the shorter schedule stays.
static enum cx_status story_keep(const struct cx_session *session, const struct explain_options *explain,
                                 const struct cx_story *story, enum cx_outcome kind, const char *text,
                                 struct cx_error *error)
{
    const struct cx_schedule *schedule = &session->schedule;
    size_t preemptions = cx_schedule_preemptions(schedule->deviations, (size_t)schedule->deviations_count);
    uint64_t weight = ((uint64_t)preemptions << 32) + schedule->deviations_count;
    struct cx_store store;
    char *file = NULL;
    size_t file_bytes = 0;
    enum cx_status status = cx_store_open(&store, explain->store_path, CX_STORE_WRITE, error);
    if (status != CX_OK) {
        return status;
    }
    status = cx_schedule_file(explain->path, &file, &file_bytes, error);
    json_t *json = cx_story_json(story, kind);
    char *switches = json_dumps(json, JSON_COMPACT);
    if (status == CX_OK && switches != NULL) {
        const char *const kinds[] = {"shrunk", "explanation", "switches"};
        const char *const contents[] = {file, text, switches};
        for (int i = 0; i < 3; i++) {
            cx_store_artifact(&store, schedule->target, schedule->scenario, session->signature_id, kinds[i], weight,
                              contents[i]);
        }
    }
    json_decref(json);
    free(switches);
    free(file);
    struct cx_error closing;
    enum cx_status closed = cx_store_close(&store, status == CX_OK ? error : &closing);
    return status != CX_OK ? status : closed;
}

// What the story is about: the file's own symptom if the run shows it, else how the run ended.
static enum cx_outcome subject_of(const struct cx_session *session, uint32_t *race)
{
    int same = cx_session_same(session);
    *race = CX_RACE_NONE;
    for (uint32_t i = 0; i < session->symptoms.count; i++) {
        const struct cx_symptom *symptom = &session->symptoms.list[i];
        if (!same || strcmp(symptom->signature.id, session->signature_id) == 0) {
            *race = symptom->race;
            return symptom->kind;
        }
    }
    return (enum cx_outcome)cx_worker_result(session->worker)->outcome;
}

static void story_write(FILE *stream, struct cx_story *story, const struct cx_session *session, const char *path)
{
    uint32_t race = CX_RACE_NONE;
    enum cx_outcome kind = subject_of(session, &race);
    story->render.stream = stream;
    header_print(stream, session, path);
    if (!cx_session_same(session)) {
        char outcome[1200];
        cx_session_outcome_text(session, outcome, sizeof(outcome));
        fprintf(stream, "THE REPLAY WENT ANOTHER WAY: %s\n\n", outcome);
    }
    cx_story_switches(story);
    cx_story_end(story, kind, race);
}

static void needed_print(const struct cx_story *story, const struct cx_needed *needed)
{
    FILE *stream = story->render.stream;
    for (uint32_t i = 0; i < needed->count; i++) {
        char name[120];
        cx_render_thread_name(story->result, needed->late[i], name, sizeof(name));
        fprintf(stream, "  Not needed: %s; the finding comes all the same %s\n", name,
                needed->ran[i] ? "when it runs only where nothing else can" : "when it never runs");
    }
    if (needed->count == 0 && needed->tried > 0) {
        fprintf(stream, "  Every thread is needed: put off until nothing else can run, none of %u leaves the finding\n",
                needed->tried);
    }
}

static enum cx_status order_play(void *context, const struct cx_deviation *plan, size_t plan_count,
                                 struct cx_step **steps, size_t *steps_count, int *same, int *passed,
                                 struct cx_error *error)
{
    struct cx_session *session = context;
    enum cx_status status = cx_session_play(session, plan, plan_count, CX_MODE_LOG, error);
    if (status != CX_OK) {
        return status;
    }
    *same = cx_session_same(session);
    *passed = session->symptoms.count == 0 && cx_worker_result(session->worker)->outcome == CX_OUTCOME_PASS;
    return cx_worker_log(session->worker, steps, steps_count, error);
}

// Try the necessary order and tell it. A long schedule is to be shrunk first: each of its stops costs six trials.
static enum cx_status orders_tell(const struct cx_story *story, struct cx_session *session, struct cx_error *error)
{
    const struct cx_schedule *schedule = &session->schedule;
    if (schedule->deviations_count > CX_EXPLAIN_ORDERS_MAX) {
        fprintf(story->render.stream,
                "\nWhat has to come before what is tried for up to %d deviations: "
                "`constrictor shrink` helps\n",
                CX_EXPLAIN_ORDERS_MAX);
        return CX_OK;
    }
    struct cx_orders orders = {.context = session,
                               .play = order_play,
                               .plan = schedule->deviations,
                               .plan_count = (size_t)schedule->deviations_count,
                               .steps = story->steps,
                               .steps_count = story->steps_count};
    struct cx_needed needed;
    enum cx_status status = cx_needed_find(session, &needed, error);
    if (status == CX_OK) {
        status = cx_orders_find(&orders, error);
    }
    if (status == CX_OK) {
        cx_story_orders(story, &orders);
        needed_print(story, &needed);
    }
    return status;
}

static enum cx_exit story_tell(struct cx_session *session, const struct explain_options *explain,
                               struct cx_error *error)
{
    struct cx_step *steps = NULL;
    size_t steps_count = 0;
    enum cx_status status = cx_worker_log(session->worker, &steps, &steps_count, error);
    char *text = NULL;
    size_t text_bytes = 0;
    FILE *stream = status == CX_OK ? open_memstream(&text, &text_bytes) : NULL;
    int same = cx_session_same(session);
    uint32_t race;
    enum cx_outcome kind = subject_of(session, &race);
    struct cx_result *result = malloc(sizeof(*result)); // trials follow, and overwrite that of the worker
    if (stream != NULL && result != NULL) {
        *result = *cx_worker_result(session->worker);
        struct cx_story story = {
            .render = {.resolver = &session->resolver,
                       .frames_max = explain->full ? UINT32_MAX : CX_EXPLAIN_FRAMES_MAX,
                       .full = explain->full},
            .result = result,
            .window = &session->schedule.window,
            .steps = steps,
            .steps_count = steps_count,
        };
        story_write(stream, &story, session, explain->path);
        status = same ? orders_tell(&story, session, error) : CX_OK;
        fclose(stream);
        fputs(text, stdout);
        if (status == CX_OK && explain->store_path != NULL && same) {
            status = story_keep(session, explain, &story, kind, text, error);
        }
    }
    free(result);
    free(text);
    free(steps);
    if (status != CX_OK) {
        return cx_command_fail(status, error);
    }
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
