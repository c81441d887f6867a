// SPDX-License-Identifier: Apache-2.0
//
// cmd_diverge: `constrictor diverge` plays a schedule file again and again and names the first step at which two runs
// of it differ, and the likely source.
//
// Runs that agree with each other can still differ from the one that was recorded: then the strict replay says where,
// and that is told instead.
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness/command.h"
#include "harness/exec/diverge.h"

static char doc[] = "Play a schedule file twice, and more, and name the first step that differs, with both stacks and "
                    "the likely source.\vExit code 1: two runs differ, or all of them from what was recorded; 0: they "
                    "are the same.";
static char arguments_doc[] = "FILE";

enum option_key { KEY_FORCE = 0x100 };

static const struct argp_option options[] = {
    {"force", KEY_FORCE, NULL, 0, "Try a schedule that was made on another build", 0},
    {0},
};

struct diverge_options {
    const char *path;
    int force;
};

static error_t option_parse(int key, char *argument, struct argp_state *state)
{
    struct diverge_options *diverge = state->input;
    struct cx_error error = {0};
    switch (key) {
    case KEY_FORCE:
        diverge->force = 1;
        return 0;
    case ARGP_KEY_ARG:
        if (diverge->path == NULL) {
            diverge->path = argument;
            return 0;
        }
        cx_error_set(&error, CX_ERR_USAGE, "\"%s\" is one file too many", argument);
        cx_command_usage("diverge", &error);
    case ARGP_KEY_END:
        if (diverge->path != NULL) {
            return 0;
        }
        cx_error_set(&error, CX_ERR_USAGE, "name a schedule file");
        cx_command_usage("diverge", &error);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

// Runs that agree are compared with the recording; 1 if that differs.
static enum cx_status recording_compare(struct cx_session *session, int *differs, struct cx_error *error)
{
    const struct cx_schedule *schedule = &session->schedule;
    enum cx_status status =
        cx_session_play(session, schedule->deviations, (size_t)schedule->deviations_count, CX_MODE_STRICT, error);
    const struct cx_result *result = cx_worker_result(session->worker);
    *differs = status == CX_OK && (result->outcome == CX_OUTCOME_DIVERGED || result->diverged_step != 0 ||
                                   (session->signature_id[0] != '\0' && !cx_session_same(session)));
    if (*differs) {
        char outcome[1200];
        cx_session_outcome_text(session, outcome, sizeof(outcome));
        printf("but they differ from what was recorded: %s\n", outcome);
    }
    return status;
}

enum cx_exit cx_cmd_diverge(int argc, char **argv)
{
    static const struct argp argp = {options, option_parse, arguments_doc, doc, NULL, NULL, NULL};
    struct diverge_options diverge = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &diverge);
    struct cx_error error = {0};
    struct cx_divergence divergence = {0};
    int differs = 0;
    struct cx_session *session = calloc(1, sizeof(*session));
    if (session == NULL) {
        return CX_EXIT_ENVIRONMENT;
    }
    enum cx_status status = cx_session_open(session, diverge.path, diverge.force, &error);
    if (status == CX_OK) {
        status = cx_divergence_find(session, &divergence, &error);
    }
    if (status == CX_OK) {
        cx_divergence_print(&divergence, session, stdout);
        differs = divergence.found || divergence.step != 0;
        if (!differs) {
            status = recording_compare(session, &differs, &error);
        }
    }
    cx_divergence_fini(&divergence);
    cx_session_close(session);
    free(session);
    if (status != CX_OK) {
        return cx_command_fail(status, &error);
    }
    return differs ? CX_EXIT_FINDINGS : CX_EXIT_OK;
}
