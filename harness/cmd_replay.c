// SPDX-License-Identifier: Apache-2.0
//
// cmd_replay: `constrictor replay` plays a schedule file strictly: every deviation must meet the thread, operation and
// object that it was recorded with.
//
// Exit code 1 when a replay ended in a finding (as `run` would have), or left the schedule; 0 when every replay passed,
// or showed what is expected of a canary.
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/command.h"
#include "harness/detect/render.h"
#include "harness/exec/explore.h"
#include "harness/exec/session.h"
#include "harness/options.h"
#include "harness/trace/steps.h"

#define CX_REPLAYS_SHOWN_MAX 5 // of the same kind; --times 100 prints a hundred times nothing new otherwise
#define CX_REPLAY_FRAMES_MAX 12

static char doc[] =
    "Play a schedule file again, step by step.\vExit code: 1 when a replay ended in a finding or left the "
    "schedule, 0 when all of them passed.";
static char arguments_doc[] = "FILE";

enum option_key { KEY_FORCE = 0x100, KEY_LOG };

static const struct argp_option options[] = {
    {"times", 'n', "N", 0, "Play it N times (default 1)", 0},
    {"log", KEY_LOG, "FILE", 0, "Write every step of the last replay to FILE", 0},
    {"force", KEY_FORCE, NULL, 0, "Try a schedule that was made on another build", 0},
    {0},
};

struct replay_options {
    const char *path;
    const char *log_path;
    uint64_t times;
    int force;
};

// What the replays of one command had in common.
struct replay_tally {
    uint64_t played;
    uint64_t same; // signature of the file
    uint64_t passed;
    uint64_t unexpected; // findings and divergences
    uint64_t log_hash;
    uint64_t log_steps;
    int logs_differ;
};

static error_t option_parse(int key, char *argument, struct argp_state *state)
{
    struct replay_options *replay = state->input;
    struct cx_error error = {0};
    enum cx_status status = CX_OK;
    switch (key) {
    case 'n':
        status = cx_option_number("--times", argument, 1, 1000000, &replay->times, &error);
        break;
    case KEY_LOG:
        replay->log_path = argument;
        break;
    case KEY_FORCE:
        replay->force = 1;
        break;
    case ARGP_KEY_ARG:
        if (replay->path != NULL) {
            status = cx_error_set(&error, CX_ERR_USAGE, "\"%s\" is one file too many", argument);
        }
        replay->path = argument;
        break;
    case ARGP_KEY_END:
        if (replay->path == NULL) {
            status = cx_error_set(&error, CX_ERR_USAGE, "name a schedule file");
        }
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    if (status != CX_OK) {
        cx_command_usage("replay", &error);
    }
    return 0;
}

static void tally_add(struct replay_tally *tally, const struct cx_session *session)
{
    const struct cx_result *result = cx_worker_result(session->worker);
    enum cx_outcome expected = cx_explore_expected(session->info.expect);
    int diverged = result->outcome == CX_OUTCOME_DIVERGED;
    if (tally->played++ == 0) {
        tally->log_hash = result->log_hash;
        tally->log_steps = result->log_steps;
    }
    tally->logs_differ |= tally->log_hash != result->log_hash || tally->log_steps != result->log_steps;
    tally->same += (uint64_t)cx_session_same(session);
    tally->passed += session->symptoms.count == 0 && result->outcome == CX_OUTCOME_PASS;
    int as_expected = diverged && expected == CX_OUTCOME_DIVERGED;
    for (uint32_t i = 0; i < session->symptoms.count; i++) {
        as_expected |= session->symptoms.list[i].kind == expected;
    }
    tally->unexpected +=
        (diverged || session->symptoms.count > 0 || result->outcome == CX_OUTCOME_ERROR) && !as_expected;
}

static void replay_print(const struct cx_session *session, const struct replay_tally *tally, uint64_t times)
{
    const struct cx_result *result = cx_worker_result(session->worker);
    char outcome[1200];
    cx_session_outcome_text(session, outcome, sizeof(outcome));
    printf("replay %" PRIu64 "/%" PRIu64 ": %s; %" PRIu64 " steps, step log %016" PRIx64 "\n", tally->played, times,
           outcome, result->log_steps, result->log_hash);
    if (tally->played == 1) {
        struct cx_render render = {
            .stream = stdout, .resolver = &session->resolver, .frames_max = CX_REPLAY_FRAMES_MAX};
        for (uint32_t i = 0; i < session->symptoms.count; i++) {
            cx_render_symptom(&render, result, session->symptoms.list[i].kind, session->symptoms.list[i].race, "    ");
        }
    }
    fflush(stdout);
}

static void summary_print(const struct cx_session *session, const struct replay_tally *tally, const char *path)
{
    printf("%" PRIu64 "/%" PRIu64 " with the recorded signature, %" PRIu64 " passed; step log %s", tally->same,
           tally->played, tally->passed, tally->logs_differ ? "DIFFERS between replays" : "");
    if (!tally->logs_differ) {
        printf("%s: %" PRIu64 " steps, hash %016" PRIx64, tally->played > 1 ? "the same every time" : "written",
               tally->log_steps, tally->log_hash);
    }
    putchar('\n');
    if (tally->same < tally->played) {
        printf("recorded: %s\n", session->schedule.signature);
    } else if (strstr(path, ".min.") == NULL) {
        printf("next: constrictor shrink %s\n", path);
    }
}

static enum cx_status replays_play(struct cx_session *session, const struct replay_options *replay,
                                   struct replay_tally *tally, struct cx_error *error)
{
    const struct cx_schedule *schedule = &session->schedule;
    char before[1200] = "";
    uint64_t shown = 0;
    for (uint64_t i = 0; i < replay->times; i++) {
        enum cx_status status = cx_session_play(session, schedule->deviations, (size_t)schedule->deviations_count,
                                                CX_MODE_STRICT | CX_MODE_LOG, error);
        if (status != CX_OK) {
            return status;
        }
        tally_add(tally, session);
        char outcome[1200];
        cx_session_outcome_text(session, outcome, sizeof(outcome));
        if (shown < CX_REPLAYS_SHOWN_MAX || strcmp(outcome, before) != 0) {
            replay_print(session, tally, replay->times);
            shown++;
        }
        snprintf(before, sizeof(before), "%s", outcome);
    }
    return CX_OK;
}

enum cx_exit cx_cmd_replay(int argc, char **argv)
{
    static const struct argp argp = {options, option_parse, arguments_doc, doc, NULL, NULL, NULL};
    struct replay_options replay = {.times = 1};
    argp_parse(&argp, argc, argv, 0, NULL, &replay);
    struct cx_error error = {0};
    struct replay_tally tally = {0};
    struct cx_session *session = calloc(1, sizeof(*session));
    if (session == NULL) {
        return CX_EXIT_ENVIRONMENT;
    }
    enum cx_status status = cx_session_open(session, replay.path, replay.force, &error);
    if (status == CX_OK) {
        status = replays_play(session, &replay, &tally, &error);
    }
    if (tally.played > 0) {
        summary_print(session, &tally, replay.path);
    }
    if (status == CX_OK && replay.log_path != NULL) {
        status = cx_steps_write(session->worker, &session->resolver, replay.log_path, &error);
    }
    cx_session_close(session);
    free(session);
    if (status != CX_OK) {
        return cx_command_fail(status, &error);
    }
    return tally.unexpected > 0 || tally.logs_differ ? CX_EXIT_FINDINGS : CX_EXIT_OK;
}
