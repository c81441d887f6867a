// SPDX-License-Identifier: Apache-2.0
//
// cmd_soak: the command line of `constrictor soak`. The work is in soak/soak.h.
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/command.h"
#include "harness/exec/clock.h"
#include "harness/exec/interrupt.h"
#include "harness/options.h"
#include "harness/run_options.h"
#include "harness/soak/beat.h"
#include "harness/soak/soak.h"

#define CX_SOAK_RUNS_DEFAULT 100
#define CX_SOAK_CANARY_NS (3600 * CX_NS_PER_S)
#define CX_SOAK_DISK_MAX (4ULL << 30)
#define CX_SOAK_PROCESSES_MAX 256

static char doc[] =
    "Explore for hours to weeks, more where something new was found lately.\vSCENARIO is a name, a shell pattern, or "
    "all (default). DIR has the results; a soak that was stopped or killed goes on when it is named again, alone or "
    "with the same words. Without --for and --units it goes on until it is stopped: SIGTERM or Ctrl-C, with everything "
    "on disk. Exit code 5: a canary was not found, so that nothing since it was found is worth anything. docs/soak.md "
    "has the rest.";
static char arguments_doc[] = "[SCENARIO...]";

enum option_key {
    KEY_RUNS = 0x100,
    KEY_UNITS,
    KEY_FOR,
    KEY_OUT,
    KEY_KNOWN,
    KEY_CANARIES,
    KEY_MEMORY,
    KEY_DISK,
    KEY_PROCESSES,
    KEY_STATUS,
    KEY_SHARD,
};

static const struct argp_option options[] = {
    {"target", 't', "T[,T2...]", 0, "Targets to run on", 0},
    {"strategy", 's', "NAME[,NAME...]", 0, "Strategies to divide the time among (default portfolio,random,pct)", 0},
    {"seed", 'S', "N", 0, "Seed of the whole soak (default 1)", 0},
    {"runs", KEY_RUNS, "N", 0, "Runs of a unit (default 100)", 0},
    {"units", KEY_UNITS, "N", 0, "End after so many units, those of earlier stretches counted (default: no limit)", 0},
    {"for", KEY_FOR, "TIME", 0, "End after this time, that of earlier stretches counted (default: no limit)", 0},
    {"jobs", 'j', "N", 0, "Runs at a time (default 1; 0: one for every CPU)", 0},
    {"out", KEY_OUT, "DIR", 0, "Folder for results and schedule files (default constrictor-soak)", 0},
    {"known", KEY_KNOWN, "FILE", 0, "Known defects, or \"none\" (default: ours)", 0},
    {"canary-every", KEY_CANARIES, "TIME", 0, "The canaries are played at the start and this often (default 1h)", 0},
    {"memory-max", KEY_MEMORY, "SIZE", 0,
     "Stop when all processes together have more memory (default: three quarters of the machine's)", 0},
    {"disk-max", KEY_DISK, "SIZE", 0, "Stop when DIR is larger (default 4G)", 0},
    {"processes-max", KEY_PROCESSES, "N", 0, "Stop when there are more processes at once (default 256)", 0},
    {"shard", KEY_SHARD, "I/N", 0,
     "Soak as shard I of N, each with a seed of its own (default: as the environment says; none: not divided)", 0},
    {"status", KEY_STATUS, "DIR", 0, "Print what the soak of DIR says of itself, and nothing else", 0},
    {0},
};

struct soak_command {
    struct cx_soak_options soak;
    const char *status_dir;
};

static enum cx_status strategies_parse(struct cx_soak_options *soak, const char *text, struct cx_error *error)
{
    char *copy = strdup(text);
    char *rest = copy;
    enum cx_status status = copy != NULL ? CX_OK : CX_ERR_MEMORY;
    soak->strategies_count = 0;
    for (char *name; status == CX_OK && (name = strsep(&rest, ",")) != NULL;) {
        uint32_t strategy = 0;
        status = cx_option_strategy(name, &strategy, error);
        if (status == CX_OK && strategy == CX_STRATEGY_NATIVE) {
            status = cx_error_set(error, CX_ERR_USAGE,
                                  "--strategy native: what runs without control show cannot be "
                                  "confirmed");
        } else if (status == CX_OK && strategy == CX_STRATEGY_EXHAUSTIVE) {
            status = cx_error_set(error, CX_ERR_USAGE,
                                  "--strategy exhaustive: it has no seed, and every unit would "
                                  "play the same; `constrictor run` plays it to its end");
        } else if (status == CX_OK && soak->strategies_count == CX_SOAK_STRATEGIES_MAX) {
            status = cx_error_set(error, CX_ERR_USAGE, "--strategy: at most %d", CX_SOAK_STRATEGIES_MAX);
        } else if (status == CX_OK) {
            soak->strategies[soak->strategies_count++] = strategy;
        }
    }
    free(copy);
    return status;
}

static enum cx_status number_option(struct cx_soak_options *soak, int key, const char *argument, struct cx_error *error)
{
    struct cx_campaign_options *run = &soak->run;
    uint64_t value = 0;
    enum cx_status status = CX_OK;
    switch (key) {
    case KEY_RUNS:
        soak->runs_given = 1;
        return cx_option_number("--runs", argument, 1, UINT32_MAX, &run->runs_max, error);
    case KEY_UNITS:
        soak->bounds_given = 1;
        return cx_option_number("--units", argument, 1, INT64_MAX, &soak->units_max, error);
    case KEY_FOR:
        soak->bounds_given = 1;
        return cx_option_duration_ns("--for", argument, &run->time_max_ns, error);
    case KEY_CANARIES:
        return cx_option_duration_ns("--canary-every", argument, &soak->canary_ns, error);
    case KEY_MEMORY:
        return cx_option_bytes("--memory-max", argument, &soak->caps.memory_bytes_max, error);
    case KEY_DISK:
        return cx_option_bytes("--disk-max", argument, &soak->caps.disk_bytes_max, error);
    case KEY_PROCESSES:
        return cx_option_number("--processes-max", argument, 1, UINT32_MAX, &soak->caps.processes_max, error);
    case 'S':
        soak->seed_given = 1;
        return cx_option_number("--seed", argument, 0, UINT64_MAX, &run->seed, error);
    default:
        status = cx_option_number("--jobs", argument, 0, CX_WORKERS_MAX, &value, error);
        run->jobs = (uint32_t)value;
        return status;
    }
}

static error_t option_parse(int key, char *argument, struct argp_state *state)
{
    struct soak_command *command = state->input;
    struct cx_soak_options *soak = &command->soak;
    struct cx_error error = {0};
    enum cx_status status = CX_OK;
    switch (key) {
    case 't':
        status = cx_option_targets(argument, &soak->run.targets, &error);
        break;
    case 's':
        status = strategies_parse(soak, argument, &error);
        break;
    case KEY_RUNS:
    case KEY_UNITS:
    case KEY_FOR:
    case KEY_CANARIES:
    case KEY_MEMORY:
    case KEY_DISK:
    case KEY_PROCESSES:
    case 'S':
    case 'j':
        status = number_option(soak, key, argument, &error);
        break;
    case KEY_OUT:
        soak->run.out_dir = argument;
        break;
    case KEY_KNOWN:
        soak->run.known_path = argument;
        break;
    case KEY_SHARD:
        status = cx_shard_parse(argument, &soak->run.shard, &error);
        soak->run.shard_given = 1;
        break;
    case KEY_STATUS:
        command->status_dir = argument;
        break;
    case ARGP_KEY_ARG:
        cx_names_append(&soak->run.patterns, argument);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    if (status != CX_OK) {
        cx_command_usage("soak", &error);
    }
    return 0;
}

static enum cx_exit status_print(const char *folder)
{
    struct cx_error error = {0};
    int alive = 0;
    cx_interrupt_reset(); // it only waits for an answer
    enum cx_status status = cx_beat_ask(folder, &alive, &error);
    if (status != CX_OK) {
        return cx_command_fail(status, &error);
    }
    if (!alive) {
        fflush(stdout);
        fprintf(stderr, "constrictor: no soak is running in %s; this is what the last one said last\n", folder);
        return CX_EXIT_NOTHING;
    }
    return CX_EXIT_OK;
}

enum cx_exit cx_cmd_soak(int argc, char **argv)
{
    static const struct argp argp = {options, option_parse, arguments_doc, doc, NULL, NULL, NULL};
    struct soak_command command = {.soak = {.run = cx_run_options_default, .canary_ns = CX_SOAK_CANARY_NS}};
    struct cx_soak_options *soak = &command.soak;
    struct cx_error error = {0};
    soak->run.out_dir = "constrictor-soak";
    soak->run.runs_max = CX_SOAK_RUNS_DEFAULT;
    soak->run.command = cx_command_words();
    soak->caps = (struct cx_caps){cx_caps_memory_default(), CX_SOAK_PROCESSES_MAX, CX_SOAK_DISK_MAX};
    argp_parse(&argp, argc, argv, 0, NULL, &command);
    if (command.status_dir != NULL) {
        return status_print(command.status_dir);
    }
    if (soak->run.out_dir[0] == '\0') {
        cx_error_set(&error, CX_ERR_USAGE, "--out: the name is empty");
        cx_command_usage("soak", &error);
    }
    cx_run_options_shard("soak", &soak->run);
    enum cx_exit code = cx_soak_run(soak);
    cx_names_fini(&soak->run.targets);
    cx_names_fini(&soak->run.patterns);
    return code;
}
