// SPDX-License-Identifier: Apache-2.0
//
// cmd_gate: the command line of `constrictor gate`. The work is in gate/gate.h.
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/command.h"
#include "harness/exec/targets.h"
#include "harness/gate/bisect.h"
#include "harness/gate/gate.h"
#include "harness/options.h"
#include "harness/run_options.h"

#define CX_GATE_RUNS_DEFAULT 200
#define CX_GATE_JOBS_DEFAULT 2
// Two minutes less than the half-hour that a gate may last: to kill what runs, and to write the reports.
#define CX_GATE_TIME_DEFAULT_NS (1680ULL * 1000000000ULL)

static char doc[] =
    "Compare two CPython builds, scenario by scenario.\vSCENARIO is a name, a shell pattern, or all (default). Both "
    "sides play the same runs; what one side alone shows is looked for on the other one. Exit code 1: the "
    "candidate shows something confirmed that the baseline does not.\n\nWith --bisect, for `git bisect run`: the tree "
    "DIR "
    "is built and played alone. Exit code 0: it is good, 1: bad (a confirmed finding), 125: it cannot be judged, 128 "
    "and "
    "more: the bisection cannot go on. docs/gate.md has the rest.";
static char arguments_doc[] = "[SCENARIO...]";

enum option_key {
    KEY_BASELINE = 0x100,
    KEY_CANDIDATE,
    KEY_ALL_BUILDS,
    KEY_RUNS,
    KEY_SEARCH,
    KEY_CPU,
    KEY_STOP_AT,
    KEY_BISECT,
    KEY_BUILD,
    KEY_SCHEDULE,
    KEY_FOR,
    KEY_OUT,
    KEY_RESUME,
    KEY_MARKDOWN,
    KEY_JSON,
    KEY_KNOWN,
};

static const struct argp_option options[] = {
    {"baseline", KEY_BASELINE, "T[,T2...]", 0, "Targets that are good", 0},
    {"candidate", KEY_CANDIDATE, "T[,T2...]", 0, "Targets that are asked, one for each baseline", 0},
    {"all-builds", KEY_ALL_BUILDS, NULL, 0, "Both are versions: compare every build that both have", 0},
    {"strategy", 's', "NAME", 0, "As of `constrictor run` (default portfolio)", 0},
    {"seed", 'S', "N", 0, "Seed of the whole command (default 1)", 0},
    {"runs", KEY_RUNS, "N", 0,
     "Runs of each scenario on each side, and no more (default 200, then what is left of the time)", 0},
    {"search", KEY_SEARCH, "N", 0,
     "More runs for each side where one shows something alone (default: as --runs; 0 with --stop-at)", 0},
    {"cpu", KEY_CPU, "TIME", 0, "CPU time of each scenario on each side (default no limit)", 0},
    {"stop-at", KEY_STOP_AT, "REGEX", 0, "A side ends with a scenario at a confirmed signature that fits", 0},
    {"for", KEY_FOR, "TIME", 0, "Time for everything together (default 28m; with --runs no limit)", 0},
    {"jobs", 'j', "N", 0, "Runs at a time (default 2; 0: one for every CPU)", 0},
    {"out", KEY_OUT, "DIR", 0, "Folder for schedule files and the state (default constrictor-gate)", 0},
    {"resume", KEY_RESUME, "DIR", 0, "Go on with the gate of DIR, as it was asked; --for gives it more time", 0},
    {"markdown", KEY_MARKDOWN, "FILE", 0, "Write a summary of one page to FILE", 0},
    {"json", KEY_JSON, "FILE", 0, "Write all results to FILE", 0},
    {"bisect", KEY_BISECT, "DIR", 0, "Judge the CPython source tree DIR, for git bisect run", 0},
    {"build", KEY_BUILD, "BUILD", 0, "With --bisect: the way to build it (default ft-debug)", 0},
    {"schedule", KEY_SCHEDULE, "FILE", 0, "With --bisect: bad is what shows the finding of this schedule file", 0},
    {"known", KEY_KNOWN, "FILE", 0, "Known defects, or \"none\" (default: ours)", 0},
    {0},
};

struct gate_command {
    struct cx_gate_options gate;
    struct cx_bisect_options bisect; // without --bisect its source is NULL
    int all_builds;
    int search_given;
    int out_given;
};

static void list_split(struct cx_names *names, const char *text)
{
    char *copy = strdup(text);
    char *rest = copy;
    for (char *name; copy != NULL && (name = strsep(&rest, ",")) != NULL;) {
        cx_names_append(names, name);
    }
    free(copy);
}

static enum cx_status number_option(struct gate_command *command, int key, const char *argument, struct cx_error *error)
{
    struct cx_campaign_options *run = &command->gate.run;
    uint64_t value = 0;
    enum cx_status status = CX_OK;
    switch (key) {
    case KEY_RUNS:
        return cx_option_number("--runs", argument, 1, INT64_MAX / 4, &run->runs_max, error);
    case KEY_SEARCH:
        command->search_given = 1;
        return cx_option_number("--search", argument, 0, INT64_MAX / 4, &command->gate.search_max, error);
    case KEY_CPU:
        return cx_option_duration_ns("--cpu", argument, &command->gate.cpu_ns_max, error);
    case KEY_FOR:
        command->gate.time_given = 1;
        return cx_option_duration_ns("--for", argument, &run->time_max_ns, error);
    case 'S':
        return cx_option_number("--seed", argument, 0, INT64_MAX, &run->seed, error);
    default:
        status = cx_option_number("--jobs", argument, 0, CX_WORKERS_MAX, &value, error);
        run->jobs = (uint32_t)value;
        return status;
    }
}

static error_t option_parse(int key, char *argument, struct argp_state *state)
{
    struct gate_command *command = state->input;
    struct cx_error error = {0};
    enum cx_status status = CX_OK;
    switch (key) {
    case KEY_BASELINE:
    case KEY_CANDIDATE:
        list_split(&command->gate.sides[key - KEY_BASELINE], argument);
        break;
    case KEY_ALL_BUILDS:
        command->all_builds = 1;
        break;
    case 's':
        status = cx_option_strategy(argument, &command->gate.run.strategy, &error);
        break;
    case KEY_RUNS:
    case KEY_SEARCH:
    case KEY_CPU:
    case KEY_FOR:
    case 'S':
    case 'j':
        status = number_option(command, key, argument, &error);
        break;
    case KEY_OUT:
        command->gate.run.out_dir = argument;
        command->out_given = 1;
        break;
    case KEY_STOP_AT:
        command->gate.stop_at = argument;
        break;
    case KEY_BISECT:
        command->bisect.source = argument;
        break;
    case KEY_BUILD:
        command->bisect.build = argument;
        break;
    case KEY_SCHEDULE:
        command->bisect.schedule = argument;
        break;
    case KEY_RESUME:
        command->gate.resume_dir = argument;
        break;
    case KEY_MARKDOWN:
        command->gate.markdown_path = argument;
        break;
    case KEY_JSON:
        command->gate.json_path = argument;
        break;
    case KEY_KNOWN:
        command->gate.run.known_path = argument;
        break;
    case ARGP_KEY_ARG:
        cx_names_append(&command->gate.run.patterns, argument);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    if (status != CX_OK) {
        cx_command_usage("gate", &error);
    }
    return 0;
}

// Two versions become pairs of targets; a build that one side alone has is named, with what builds the other one.
static void builds_expand(struct cx_gate_options *gate)
{
    struct cx_names built = {0}, versions[CX_GATE_SIDES];
    memcpy(versions, gate->sides, sizeof(versions));
    memset(gate->sides, 0, sizeof(gate->sides));
    cx_targets_built(&built);
    const char *builds[] = {"ft-debug", "gil-debug", "ft-tsan", "gil-tsan"};
    for (size_t i = 0; i < sizeof(builds) / sizeof(builds[0]); i++) {
        char names[CX_GATE_SIDES][200];
        int have[CX_GATE_SIDES];
        for (int at = 0; at < CX_GATE_SIDES; at++) {
            snprintf(names[at], sizeof(names[at]), "%.150s-%s", versions[at].list[0], builds[i]);
            have[at] = cx_names_have(&built, names[at]);
        }
        for (int at = 0; at < CX_GATE_SIDES; at++) {
            if (have[CX_GATE_BASELINE] && have[CX_GATE_CANDIDATE]) {
                cx_names_append(&gate->sides[at], names[at]);
            } else if (!have[at]) {
                fprintf(stderr, "constrictor: %s is not built and left out: `constrictor target add %s` builds it\n",
                        names[at], names[at]);
            }
        }
    }
    cx_names_fini(&built);
    cx_names_fini(&versions[CX_GATE_BASELINE]);
    cx_names_fini(&versions[CX_GATE_CANDIDATE]);
}

static enum cx_status bisect_check(const struct gate_command *command, struct cx_error *error)
{
    const struct cx_gate_options *gate = &command->gate;
    int sides = gate->sides[CX_GATE_BASELINE].count + gate->sides[CX_GATE_CANDIDATE].count > 0;
    if (sides || command->all_builds || gate->resume_dir != NULL || gate->markdown_path || gate->json_path) {
        return cx_error_set(error, CX_ERR_USAGE, "--bisect judges one tree: no targets, nothing to resume, no reports");
    }
    if (gate->run.patterns.count == 0 && command->bisect.schedule == NULL) {
        return cx_error_set(error, CX_ERR_USAGE, "--bisect: name scenarios, or give a --schedule");
    }
    if (gate->run.patterns.count > 0 && command->bisect.schedule != NULL) {
        return cx_error_set(error, CX_ERR_USAGE, "--bisect: the --schedule names the scenario");
    }
    return CX_OK;
}

static enum cx_status command_check(struct gate_command *command, struct cx_error *error)
{
    struct cx_gate_options *gate = &command->gate;
    size_t baselines = gate->sides[CX_GATE_BASELINE].count;
    size_t candidates = gate->sides[CX_GATE_CANDIDATE].count;
    if (gate->run.strategy == CX_STRATEGY_NATIVE) {
        return cx_error_set(error, CX_ERR_USAGE, "--strategy native: runs without control cannot be compared");
    }
    if (command->bisect.source != NULL) {
        return bisect_check(command, error);
    }
    if (command->bisect.build != NULL || command->bisect.schedule != NULL) {
        return cx_error_set(error, CX_ERR_USAGE, "--build and --schedule go with --bisect");
    }
    if (gate->resume_dir != NULL) {
        return baselines + candidates + gate->run.patterns.count == 0
                   ? CX_OK
                   : cx_error_set(error, CX_ERR_USAGE, "--resume goes on as it was asked: no targets, no scenarios");
    }
    if (baselines == 0 || baselines != candidates || (command->all_builds && baselines != 1)) {
        return cx_error_set(error, CX_ERR_USAGE, "--baseline and --candidate are needed, with as many targets each%s",
                            command->all_builds ? "; with --all-builds one version each" : "");
    }
    for (size_t i = 0; i < baselines && !command->all_builds; i++) {
        const char *name = gate->sides[CX_GATE_BASELINE].list[i];
        if (strcmp(name, gate->sides[CX_GATE_CANDIDATE].list[i]) == 0) {
            return cx_error_set(error, CX_ERR_USAGE, "%s is on both sides: there is nothing to compare", name);
        }
    }
    return CX_OK;
}

static void defaults_fill(struct gate_command *command)
{
    struct cx_gate_options *gate = &command->gate;
    if (gate->run.runs_max == 0) {
        gate->run.runs_max = CX_GATE_RUNS_DEFAULT;
        gate->rest = 1;
        uint64_t time_ns = command->bisect.source != NULL ? 0 : CX_GATE_TIME_DEFAULT_NS;
        gate->run.time_max_ns = gate->run.time_max_ns > 0 ? gate->run.time_max_ns : time_ns;
    }
    if (!command->search_given) {
        gate->search_max = gate->stop_at == NULL ? gate->run.runs_max : 0;
    }
    if (gate->run.patterns.count == 0 && gate->resume_dir == NULL && command->bisect.source == NULL) {
        cx_names_append(&gate->run.patterns, "all");
    }
}

// Beside the command, not in the tree: a folder there would belong to the next commit's source.
static enum cx_exit bisect_play(struct gate_command *command)
{
    static char folder[PATH_MAX];
    if (!command->out_given) {
        snprintf(folder, sizeof(folder), "%.4000s/bisect", cx_targets_build_dir());
        command->gate.run.out_dir = folder;
    }
    if (command->bisect.build == NULL) {
        command->bisect.build = "ft-debug";
    }
    command->gate.run.known_path = "none";
    command->bisect.gate = &command->gate;
    return (enum cx_exit)cx_gate_bisect(&command->bisect);
}

// git takes the exit status of a command line that is wrong for "bad".
static void usage_status_choose(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--bis", strlen("--bis")) == 0) {
            argp_err_exit_status = CX_BISECT_STOP;
        }
    }
}

enum cx_exit cx_cmd_gate(int argc, char **argv)
{
    static const struct argp argp = {options, option_parse, arguments_doc, doc, NULL, NULL, NULL};
    struct gate_command command = {.gate.run = cx_run_options_default};
    struct cx_error error = {0};
    command.gate.run.out_dir = "constrictor-gate";
    command.gate.run.jobs = CX_GATE_JOBS_DEFAULT;
    command.gate.run.command = cx_command_words();
    usage_status_choose(argc, argv);
    argp_parse(&argp, argc, argv, 0, NULL, &command);
    if (command_check(&command, &error) != CX_OK) {
        cx_command_usage("gate", &error);
    }
    defaults_fill(&command);
    enum cx_exit code = CX_EXIT_OK;
    if (command.all_builds) {
        builds_expand(&command.gate);
    }
    if (command.bisect.source != NULL) {
        code = bisect_play(&command);
    } else if (command.gate.resume_dir == NULL && command.gate.sides[CX_GATE_BASELINE].count == 0) {
        code = cx_command_fail(cx_error_set(&error, CX_ERR_ENVIRONMENT, "no build is there on both sides"), &error);
    } else {
        code = cx_gate_run(&command.gate);
    }
    cx_names_fini(&command.gate.sides[CX_GATE_BASELINE]);
    cx_names_fini(&command.gate.sides[CX_GATE_CANDIDATE]);
    cx_names_fini(&command.gate.run.patterns);
    return code;
}
