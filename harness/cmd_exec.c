// SPDX-License-Identifier: Apache-2.0
//
// cmd_exec: the command line of `constrictor exec`: a Python script or module on a target, or any program as it is.
#include <argp.h>
#include <string.h>

#include "harness/command.h"
#include "harness/exec/targets.h"
#include "harness/run_options.h"

static char doc[] =
    "Run a Python program, or any program, under many schedules and report what breaks."
    "\vWith --target, SCRIPT or MODULE runs on that target's CPython, whose atomics are points, too. Control begins "
    "when the program makes its first thread, unless --from-start. Without a target, PROGRAM is run as it is, "
    "controlled at its pthread calls alone. Options stand before SCRIPT, MODULE or PROGRAM; what comes after is "
    "its own.";
static char arguments_doc[] = "--target T SCRIPT [ARGUMENT...]\n--target T -m MODULE [ARGUMENT...]\n"
                              "-- PROGRAM [ARGUMENT...]";

enum option_key { KEY_FROM_START = 0x200 };

static const struct argp_option options[] = {
    {"module", 'm', "MODULE", 0, "Run this module; what follows is its arguments", 0},
    {"from-start", KEY_FROM_START, NULL, 0, "Control the start of the Python program, too", 0},
    {0},
};

struct exec_command {
    struct cx_campaign_options options;
    struct cx_subject subject;
};

// All that is left belongs to the subject, whatever it looks like.
static void rest_take(struct exec_command *command, struct argp_state *state)
{
    for (; state->next < state->argc; state->next++) {
        cx_names_append(&command->subject.words, state->argv[state->next]);
    }
}

static error_t option_parse(int key, char *argument, struct argp_state *state)
{
    struct exec_command *command = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &command->options;
        return 0;
    case 'm':
        command->subject.kind = CX_SUBJECT_MODULE;
        cx_names_append(&command->subject.words, argument);
        if (state->next < state->argc && strcmp(state->argv[state->next], "--") == 0) {
            state->next++;
        }
        rest_take(command, state);
        return 0;
    case KEY_FROM_START:
        command->subject.from_start = 1;
        return 0;
    case ARGP_KEY_ARG:
        cx_names_append(&command->subject.words, argument);
        rest_take(command, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

enum cx_exit cx_cmd_exec(int argc, char **argv)
{
    static const struct argp_child children[] = {{&cx_run_options_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {options, option_parse, arguments_doc, doc, children, NULL, NULL};
    struct exec_command command = {.options = cx_run_options_default};
    struct cx_subject *subject = &command.subject;
    struct cx_error error = {0};
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &command);
    size_t targets = command.options.targets.count;
    if (subject->words.count == 0) {
        cx_error_set(&error, CX_ERR_USAGE, "name a script, -m MODULE, or a program");
    } else if (targets > 1) {
        cx_error_set(&error, CX_ERR_USAGE, "--target: one target at a time");
    } else if (targets == 0 && (subject->kind == CX_SUBJECT_MODULE || subject->from_start)) {
        cx_error_set(&error, CX_ERR_USAGE, "--target is missing: which Python?");
    } else if (targets == 1 && strncmp(command.options.targets.list[0], "plain", 5) == 0) {
        cx_error_set(&error, CX_ERR_USAGE, "--target %s: there is no Python in it", command.options.targets.list[0]);
    }
    if (error.text[0] != '\0') {
        cx_command_usage("exec", &error);
    }
    if (subject->kind == CX_SUBJECT_NONE) {
        subject->kind = targets == 1 ? CX_SUBJECT_SCRIPT : CX_SUBJECT_PRELOAD;
    }
    return cx_run_options_play("exec", &command.options, subject);
}
