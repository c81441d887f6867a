// SPDX-License-Identifier: Apache-2.0
//
// cmd_list: `constrictor list` asks the runners which scenarios they have, and whether each applies to their target.
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/command.h"
#include "harness/exec/known.h"
#include "harness/exec/targets.h"
#include "harness/exec/worker.h"
#include "harness/scenario.h"

static char doc[] = "Show the scenarios of a target, or of every target that is built.";

static const struct argp_option options[] = {
    {"target", 't', "TARGET", 0, "Ask this target's runner alone", 0},
    {0},
};

struct list_options {
    struct cx_names targets;
};

static error_t option_parse(int key, char *argument, struct argp_state *state)
{
    struct list_options *list = state->input;
    struct cx_error error = {0};
    switch (key) {
    case 't':
        cx_names_add(&list->targets, argument);
        return 0;
    case ARGP_KEY_ARG:
        cx_error_set(&error, CX_ERR_USAGE, "\"%s\" is one argument too many", argument);
        cx_command_usage("list", &error);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const char *expect_word(uint32_t expect)
{
    static const char *const words[] = {
        [CX_EXPECT_PASS] = "",
        [CX_EXPECT_CRASH] = "must crash",
        [CX_EXPECT_RACE] = "must race",
        [CX_EXPECT_DEADLOCK] = "must deadlock",
        [CX_EXPECT_LIVELOCK] = "must livelock",
        [CX_EXPECT_INVARIANT] = "must fail",
        [CX_EXPECT_DIVERGED] = "must diverge",
        [CX_EXPECT_DRIFT] = "must drift",
        [CX_EXPECT_LEAK] = "must leak",
        [CX_EXPECT_NOTHING] = "must explore nothing",
    };
    return expect < sizeof(words) / sizeof(words[0]) ? words[expect] : "?";
}

// The issues of the known defects that this scenario shows on this target.
static void known_print(const struct cx_known *known, const char *target, const char *scenario)
{
    int first = 1;
    for (size_t i = 0; i < known->count; i++) {
        if (cx_known_place(&known->entries[i], target, scenario) != NULL) {
            printf("%s%s (%s)", first ? " {known: " : ", ", known->entries[i].issue, known->entries[i].id);
            first = 0;
        }
    }
    printf("%s", first ? "" : "}");
}

static enum cx_status target_print(const char *target, const struct cx_worker *worker, struct cx_error *error)
{
    char known_target[CX_KNOWN_TARGET_BYTES];
    struct cx_known known;
    enum cx_status status = cx_known_load(&known, NULL, error);
    cx_known_target(cx_worker_identity(worker), target, known_target);

    uint32_t count = 0;
    const struct cx_scenario_info *scenarios = cx_worker_scenarios(worker, &count);
    const char *python = cx_worker_identity(worker)->python;
    printf("%s%s%s, %u scenarios\n", target, python[0] != '\0' ? ": CPython " : "", python, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct cx_scenario_info *info = &scenarios[i];
        const char *expect = expect_word(info->expect);
        printf("  %-34s %s%s%s%s", info->name, info->summary, expect[0] != '\0' ? " [" : "", expect,
               expect[0] != '\0' ? "]" : "");
        if (info->applicable) {
            known_print(&known, known_target, info->name);
        }
        printf("%s\n", info->applicable ? "" : " (does not apply here)");
    }
    cx_known_fini(&known);
    return status;
}

static enum cx_status target_list(const char *target, struct cx_error *error)
{
    char path[PATH_MAX];
    struct cx_worker *worker = NULL;
    enum cx_status status = cx_targets_runner(target, path, error);
    if (status == CX_OK) {
        status = cx_worker_new(&worker, path, NULL, -1, error);
    }
    if (status == CX_OK) {
        status = target_print(target, worker, error);
    }
    cx_worker_free(worker);
    return status;
}

enum cx_exit cx_cmd_list(int argc, char **argv)
{
    static const struct argp argp = {options, option_parse, NULL, doc, NULL, NULL, NULL};
    struct list_options list = {0};
    struct cx_error error = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &list);
    if (list.targets.count == 0) {
        cx_targets_built(&list.targets);
    }
    enum cx_exit code = CX_EXIT_OK;
    if (list.targets.count == 0) {
        code = cx_command_fail(
            cx_error_set(&error, CX_ERR_ENVIRONMENT, "no target is built: `constrictor target list` shows what can be"),
            &error);
    }
    // A runner that does not start hides none of the others.
    for (size_t i = 0; i < list.targets.count; i++) {
        enum cx_status status = target_list(list.targets.list[i], &error);
        if (status != CX_OK) {
            code = cx_command_fail(status, &error);
        }
    }
    cx_names_fini(&list.targets);
    return code;
}
