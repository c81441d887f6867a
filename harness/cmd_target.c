// SPDX-License-Identifier: Apache-2.0
//
// cmd_target: `constrictor target list | add | remove | info`.
//
// The building is done by tools/cpython-build (CPython) and tools/runner-build (the runner); this file calls them and
// reads the target.json that the first one leaves. Building one needs the source tree; list, info and run do not.
#include <argp.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/command.h"
#include "harness/exec/targets.h"
#include "harness/exec/tools.h"

static char doc[] =
    "List, add, remove and describe CPython builds."
    "\vACTION is list, add NAME, remove NAME or info NAME. `add 3.14.7-ft-debug` builds a release; "
    "`add mine --source DIR --build ft-debug` builds your own tree under a name of your choice. "
    "Builds: ft-debug, gil-debug, ft-tsan, gil-tsan, ft-asan, gil-asan; ft-release and gil-release, for "
    "benchmarks.";
static char arguments_doc[] = "ACTION [NAME]";

enum option_key { KEY_SOURCE = 0x100, KEY_BUILD };

static const struct argp_option options[] = {
    {"source", KEY_SOURCE, "DIR|TARBALL", 0, "add: build this tree", 0},
    {"build", KEY_BUILD, "BUILD", 0, "add: the way to build it", 0},
    {0},
};

struct target_options {
    const char *action;
    const char *name;
    const char *source;
    const char *build;
};

static error_t option_parse(int key, char *argument, struct argp_state *state)
{
    struct target_options *target = state->input;
    struct cx_error error = {0};
    switch (key) {
    case KEY_SOURCE:
        target->source = argument;
        return 0;
    case KEY_BUILD:
        target->build = argument;
        return 0;
    case ARGP_KEY_ARG:
        if (target->action == NULL) {
            target->action = argument;
        } else if (target->name == NULL) {
            target->name = argument;
        } else {
            cx_error_set(&error, CX_ERR_USAGE, "\"%s\" is one argument too many", argument);
            cx_command_usage("target", &error);
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

// The target's description, or NULL. A new reference.
static json_t *description_load(const char *name)
{
    char folder[PATH_MAX];
    char path[PATH_MAX + 20];
    json_error_t ignored;
    if (cx_targets_cache_dir(name, folder) != 0) {
        return NULL;
    }
    snprintf(path, sizeof(path), "%s/target.json", folder);
    return json_load_file(path, 0, &ignored);
}

static enum cx_exit target_list(void)
{
    struct cx_names known = {0}, cached = {0}, built = {0};
    cx_targets_known(&known);
    cx_targets_cached(&cached);
    cx_targets_built(&built);
    printf("%-24s %-8s %s\n", "TARGET", "CPYTHON", "RUNNER");
    for (size_t i = 0; i < known.count; i++) {
        const char *name = known.list[i];
        int plain = strncmp(name, "plain", strlen("plain")) == 0;
        const char *python = plain ? "-" : cx_names_have(&cached, name) ? "built" : "no";
        printf("%-24s %-8s %s\n", name, python, cx_names_have(&built, name) ? "built" : "no");
    }
    cx_names_fini(&known);
    cx_names_fini(&cached);
    cx_names_fini(&built);
    return CX_EXIT_OK;
}

static enum cx_exit target_info(const char *name, struct cx_error *error)
{
    char runner[PATH_MAX];
    struct cx_error reason = {0};
    json_t *description = description_load(name);
    enum cx_status status = cx_targets_runner(name, runner, &reason);
    if (description == NULL && status != CX_OK) {
        *error = reason;
        return cx_status_exit(status);
    }
    printf("name: %s\n", name);
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(description, key, value)
    {
        if (strcmp(key, "name") == 0 || strcmp(key, "format") == 0) {
            continue;
        }
        char *text = json_is_string(value) ? strdup(json_string_value(value)) : json_dumps(value, JSON_ENCODE_ANY);
        printf("%s: %s\n", key, text != NULL ? text : "?");
        free(text);
    }
    printf("runner: %s\n", status == CX_OK ? runner : "not built");
    json_decref(description);
    return CX_EXIT_OK;
}

static enum cx_exit target_add(const struct target_options *target, struct cx_error *error)
{
    if ((target->source == NULL) != (target->build == NULL)) {
        cx_error_set(error, CX_ERR_USAGE, "--source and --build belong together");
        return CX_EXIT_USAGE;
    }
    enum cx_exit code = cx_tools_target_add(target->name, target->source, target->build, error);
    if (code == CX_EXIT_OK) {
        printf("target %s is ready: constrictor list --target %s\n", target->name, target->name);
    }
    return code;
}

// Delete the runner's folder of this build; the CPython of a target is removed by its own tool.
static enum cx_exit target_remove(const struct target_options *target, struct cx_error *error)
{
    char runner[PATH_MAX];
    struct cx_error ignored = {0};
    json_t *description = description_load(target->name);
    int cached = description != NULL;
    json_decref(description);
    int built = cx_targets_runner(target->name, runner, &ignored) == CX_OK;
    if (!cached && !built) {
        *error = ignored;
        return strstr(ignored.text, "unknown") != NULL ? CX_EXIT_USAGE : CX_EXIT_ENVIRONMENT;
    }
    if (built && unlink(runner) != 0) {
        cx_error_system(error, "cannot remove %s", runner);
        return CX_EXIT_ENVIRONMENT;
    }
    const char *const arguments[] = {"--remove", target->name, NULL};
    return cached ? cx_tools_run("cpython-build", arguments, error) : CX_EXIT_OK;
}

enum cx_exit cx_cmd_target(int argc, char **argv)
{
    static const struct argp argp = {options, option_parse, arguments_doc, doc, NULL, NULL, NULL};
    struct target_options target = {0};
    struct cx_error error = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &target);
    const char *action = target.action != NULL ? target.action : "";
    int needs_name = strcmp(action, "add") == 0 || strcmp(action, "remove") == 0 || strcmp(action, "info") == 0;
    if (needs_name != (target.name != NULL) || (!needs_name && strcmp(action, "list") != 0)) {
        cx_error_set(&error, CX_ERR_USAGE, "expected list, add NAME, remove NAME or info NAME");
        cx_command_usage("target", &error);
    }
    if (target.name != NULL && (target.name[0] == '.' || target.name[0] == '-' || strchr(target.name, '/') != NULL)) {
        cx_error_set(&error, CX_ERR_USAGE, "\"%s\" cannot be the name of a target", target.name);
        cx_command_usage("target", &error);
    }
    enum cx_exit code = CX_EXIT_OK;
    if (strcmp(action, "list") == 0) {
        code = target_list();
    } else if (strcmp(action, "info") == 0) {
        code = target_info(target.name, &error);
    } else if (strcmp(action, "add") == 0) {
        code = target_add(&target, &error);
    } else {
        code = target_remove(&target, &error);
    }
    if (error.text[0] != '\0') {
        fprintf(stderr, "constrictor: %s\n", error.text);
    }
    return code;
}
