// SPDX-License-Identifier: Apache-2.0
//
// cmd_run: the command line of `constrictor run`. The work is in exec/campaign.h.
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/command.h"
#include "harness/exec/within.h"
#include "harness/exec/campaign.h"
#include "harness/options.h"
#include "harness/run_options.h"

#define CX_RUNS_DEFAULT 100
#define CX_DEPTH_DEFAULT 3
#define CX_DEPTH_MAX 64
#define CX_PREEMPTIONS_DEFAULT 2

static char doc[] =
    "Play scenarios, or a program of `constrictor cc`, under many schedules and report what breaks."
    "\vSCENARIO is a name, a shell pattern such as 'finalize/*', or all. Every new signature is replayed "
    "three times before it is called a finding, and saved as a schedule file below DIR. The same "
    "command finds the same again, whatever --jobs is. A time is a number with ms, s, m or h.";
static char arguments_doc[] = "SCENARIO...\n--subject PROGRAM [-- ARGUMENT...]";

enum option_key {
    KEY_DEPTH = 0x100,
    KEY_PREEMPTIONS,
    KEY_RUNS,
    KEY_FINDINGS,
    KEY_FIRST_RUN,
    KEY_FOR,
    KEY_OUT,
    KEY_JSON,
    KEY_STORE,
    KEY_SHARD,
    KEY_KNOWN,
    KEY_VERIFY,
    KEY_IN_PROCESS,
    KEY_STEPS_MAX,
    KEY_WALL_MAX,
    KEY_POINTS,
    KEY_POINTS_IN,
    KEY_EARLY_MAX,
    KEY_SPURIOUS,
    KEY_SUBJECT,
    KEY_ENV,
    KEY_FORKS,
};

static const struct argp_option options[] = {
    {"target", 't', "T[,T2...]", 0, "Targets to run on", 0},
    {"strategy", 's', "NAME", 0,
     "native (no control), random, pct, pos, urw, surw, delay, feedback, exhaustive or portfolio (default)", 0},
    {"env", KEY_ENV, "NAME=VALUE", 0, "Environment of a subject, beside PATH, HOME and LC_ALL; any number of times", 0},
    {"forks", KEY_FORKS, "KIND", 0,
     "Processes that a subject forks are left alone (default), or follow: the child goes on under control while its "
     "parent waits for it",
     0},
    {"depth", KEY_DEPTH, "N", 0, "Depth of pct: change points plus one (default 3)", 0},
    {"preemptions", KEY_PREEMPTIONS, "N", 0, "Bound of exhaustive, or \"any\" (default 2)", 0},
    {"seed", 'S', "N", 0, "Seed of the whole command (default 1)", 0},
    {"runs", KEY_RUNS, "N", 0, "Runs of each scenario (default 100, or no limit with --for)", 0},
    {"findings", KEY_FINDINGS, "N", 0, "Go on to the next scenario after N signatures (default: no limit)", 0},
    {"first-run", KEY_FIRST_RUN, "N", 0, "Begin with this run (default 0)", 0},
    {"for", KEY_FOR, "TIME", 0, "Time for everything together, such as 60s", 0},
    {"jobs", 'j', "N", 0, "Runs at a time (default 1; 0: one for every CPU)", 0},
    {"out", KEY_OUT, "DIR", 0, "Folder for schedule files (default constrictor-out)", 0},
    {"json", KEY_JSON, "FILE", 0, "Write one JSON object per line to FILE", 0},
    {"store", KEY_STORE, "FILE", 0, "Keep all results in this database, or \"none\" (default results.db in DIR)", 0},
    {"shard", KEY_SHARD, "I/N", 0,
     "Play the I-th of N parts, for merge; or none (default: what a Slurm array, an Indexed Job, Bazel or GoogleTest "
     "says)",
     0},
    {"known", KEY_KNOWN, "FILE", 0, "Known defects, which fail no run; or none (default: scenarios/known.json)", 0},
    {"points", KEY_POINTS, "KIND", 0,
     "Where threads may switch: sync (pthread operations), atomic (and atomic operations; default) or access (and "
     "plain "
     "loads and stores)",
     0},
    {"points-in", KEY_POINTS_IN, "PLACE", 0,
     "Of plain accesses, only those in function:NAME or file:NAME, of object:NAME, or in the functions of the race "
     "that "
     "race:FILE shows, a schedule file; any number of times",
     0},
    {"verify", KEY_VERIFY, NULL, 0, "Replay every run once, passing ones too", 0},
    {"in-process", KEY_IN_PROCESS, NULL, 0,
     "Play many runs in one process, where the program can be started again and again; see docs/subjects.md", 0},
    {"steps-max", KEY_STEPS_MAX, "N", 0, "Step bound of a run (default: the scenario's)", 0},
    {"wall-max", KEY_WALL_MAX, "TIME", 0, "Real-time bound of a run (default: the scenario's)", 0},
    {"early-max", KEY_EARLY_MAX, "TIME", 0,
     "Timed waits of at most this length may end early by choice, longer ones when nothing else can run (default 1s)",
     0},
    {"spurious", KEY_SPURIOUS, "N", 0,
     "Waiters for a condition variable wake up unasked at N of 1000 decisions (default: 20 in C and C++ programs, 0 "
     "elsewhere)",
     0},
    {0},
};

// Options whose value is a number or a time.
static enum cx_status number_option(struct cx_campaign_options *run, int key, const char *argument,
                                    struct cx_error *error)
{
    uint64_t value = 0;
    enum cx_status status = CX_OK;
    switch (key) {
    case KEY_DEPTH:
        status = cx_option_number("--depth", argument, 1, CX_DEPTH_MAX, &value, error);
        run->pct_depth = (uint32_t)value;
        return status;
    case KEY_PREEMPTIONS:
        if (strcmp(argument, "any") == 0) {
            run->preemptions_max = UINT32_MAX;
            return CX_OK;
        }
        status = cx_option_number("--preemptions", argument, 0, 1000, &value, error);
        run->preemptions_max = (uint32_t)value;
        return status;
    case KEY_RUNS:
        return cx_option_number("--runs", argument, 1, INT64_MAX / 2, &run->runs_max, error);
    case KEY_FINDINGS:
        return cx_option_number("--findings", argument, 1, UINT64_MAX, &run->findings_max, error);
    case KEY_FIRST_RUN:
        return cx_option_number("--first-run", argument, 0, INT64_MAX / 2, &run->run_first, error);
    case KEY_FOR:
        return cx_option_duration_ns("--for", argument, &run->time_max_ns, error);
    case KEY_STEPS_MAX:
        return cx_option_number("--steps-max", argument, 1, UINT64_MAX, &run->steps_max, error);
    case KEY_WALL_MAX:
        status = cx_option_duration_ns("--wall-max", argument, &value, error);
        run->wall_ms_max = value / 1000000 > UINT32_MAX / 4 ? UINT32_MAX / 4 : (uint32_t)(value / 1000000);
        return status;
    case KEY_EARLY_MAX:
        return cx_option_duration_ns("--early-max", argument, &run->rules.early_ns_max, error);
    case KEY_SPURIOUS:
        status = cx_option_number("--spurious", argument, 0, 1000, &value, error);
        run->rules.spurious = (uint32_t)value;
        run->spurious_given = 1;
        return status;
    case 'S':
        return cx_option_number("--seed", argument, 0, UINT64_MAX, &run->seed, error);
    default:
        status = cx_option_number("--jobs", argument, 0, CX_WORKERS_MAX, &value, error);
        run->jobs = (uint32_t)value;
        return status;
    }
}

static error_t option_parse(int key, char *argument, struct argp_state *state)
{
    struct cx_campaign_options *run = state->input;
    struct cx_error error = {0};
    enum cx_status status = CX_OK;
    switch (key) {
    case 't':
        status = cx_option_targets(argument, &run->targets, &error);
        break;
    case 's':
        status = cx_option_strategy(argument, &run->strategy, &error);
        break;
    case KEY_DEPTH:
    case KEY_PREEMPTIONS:
    case KEY_RUNS:
    case KEY_FINDINGS:
    case KEY_FIRST_RUN:
    case KEY_FOR:
    case KEY_STEPS_MAX:
    case KEY_WALL_MAX:
    case KEY_EARLY_MAX:
    case KEY_SPURIOUS:
    case 'S':
    case 'j':
        status = number_option(run, key, argument, &error);
        break;
    case KEY_OUT:
        run->out_dir = argument;
        break;
    case KEY_JSON:
        run->json_path = argument;
        break;
    case KEY_STORE:
        run->store_path = strcmp(argument, "none") == 0 ? "" : argument;
        break;
    case KEY_SHARD:
        status = cx_shard_parse(argument, &run->shard, &error);
        run->shard_given = 1;
        break;
    case KEY_KNOWN:
        run->known_path = argument;
        break;
    case KEY_VERIFY:
    case KEY_IN_PROCESS:
        *(key == KEY_VERIFY ? &run->verify : &run->in_process) = 1;
        break;
    case KEY_POINTS:
        status = cx_points_level_parse(argument, &run->points_level, &error);
        run->points_given = 1;
        break;
    case KEY_POINTS_IN:
        status = cx_within_append(&run->within, argument, &error);
        break;
    case KEY_FORKS:
        run->follow_forks = strcmp(argument, "follow") == 0;
        if (!run->follow_forks && strcmp(argument, "alone") != 0) {
            status = cx_error_set(&error, CX_ERR_USAGE, "--forks %s: there are alone and follow", argument);
        }
        break;
    case KEY_ENV:
        cx_names_append(&run->environment, argument);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    if (status != CX_OK) {
        cx_command_usage("run", &error);
    }
    return 0;
}

const struct argp cx_run_options_argp = {options, option_parse, NULL, NULL, NULL, NULL, NULL};

const struct cx_campaign_options cx_run_options_default = {
    .strategy = CX_STRATEGY_PORTFOLIO,
    .pct_depth = CX_DEPTH_DEFAULT,
    .preemptions_max = CX_PREEMPTIONS_DEFAULT,
    .rules = {.early_ns_max = CX_EARLY_NS_DEFAULT},
    .seed = 1,
    .jobs = 1,
    .out_dir = "constrictor-out",
};

void cx_run_options_shard(const char *verb, struct cx_campaign_options *run)
{
    struct cx_error error = {0};
    if (!run->shard_given && cx_shard_environment(&run->shard, &error) != CX_OK) {
        cx_command_usage(verb, &error);
    }
    if (run->shard.source != NULL) {
        fprintf(stderr, "constrictor: this is shard %u of %u, says %s; --shard none plays everything\n",
                run->shard.index + 1, run->shard.total, run->shard.source);
    }
}

// Which shard this is, and what a shard cannot do.
static void shard_settle(const char *verb, struct cx_campaign_options *run)
{
    struct cx_error error = {0};
    cx_run_options_shard(verb, run);
    enum cx_status status = CX_OK;
    const struct cx_shard *shard = &run->shard;
    if (shard->total > 0 && run->findings_max > 0) {
        status = cx_error_set(&error, CX_ERR_USAGE,
                              "--findings counts what the whole campaign has found, which a shard does not see");
    } else if (status == CX_OK && shard->total > 0 && run->store_path != NULL && run->store_path[0] == '\0') {
        status = cx_error_set(&error, CX_ERR_USAGE, "--store none: a shard without a store cannot be merged");
    }
    if (status != CX_OK) {
        cx_command_usage(verb, &error);
    }
}

enum cx_exit cx_run_options_play(const char *verb, struct cx_campaign_options *run, struct cx_subject *subject)
{
    struct cx_error error = {0};
    if (run->within.count > 0 && !run->points_given) {
        run->points_level = CX_POINTS_ACCESS;
    } else if (run->within.count > 0 && run->points_level != CX_POINTS_ACCESS) {
        cx_error_set(&error, CX_ERR_USAGE, "--points-in is about plain accesses: it goes with --points access");
        cx_command_usage(verb, &error);
    }
    if (run->in_process && (run->strategy == CX_STRATEGY_NATIVE || run->strategy == CX_STRATEGY_EXHAUSTIVE)) {
        cx_error_set(&error, CX_ERR_USAGE,
                     "--in-process goes with strategies that draw, which native and exhaustive "
                     "are not");
        cx_command_usage(verb, &error);
    }
    if (run->out_dir[0] == '\0') {
        cx_error_set(&error, CX_ERR_USAGE, "--out: the name is empty");
        cx_command_usage(verb, &error);
    }
    if (run->runs_max == 0) {
        int endless = run->time_max_ns > 0 || run->strategy == CX_STRATEGY_EXHAUSTIVE; // that ends by itself
        run->runs_max = endless ? UINT64_MAX : CX_RUNS_DEFAULT;
    }
    if (run->follow_forks && subject->kind == CX_SUBJECT_NONE) {
        cx_error_set(&error, CX_ERR_USAGE, "--forks follow is for subjects: scenarios always follow");
        cx_command_usage(verb, &error);
    }
    subject->follow_forks = run->follow_forks;
    run->command = cx_command_words();
    shard_settle(verb, run);
    enum cx_status status = CX_OK;
    if (subject->kind != CX_SUBJECT_NONE) {
        subject->environment = run->environment;
        run->environment = (struct cx_names){0};
        status = cx_subject_open(subject, run->targets.count > 0 ? run->targets.list[0] : NULL, &error);
        cx_names_fini(&run->targets);
        cx_names_add(&run->targets, subject->target);
        cx_names_add(&run->patterns, "all");
        run->subject = subject;
        if (cx_subject_is_program(subject->kind) && !run->spurious_given && run->strategy != CX_STRATEGY_EXHAUSTIVE) {
            run->rules.spurious = CX_SPURIOUS_DEFAULT;
        }
    }
    enum cx_exit code = status == CX_OK ? cx_campaign_run(run) : cx_command_fail(status, &error);
    cx_names_fini(&run->patterns);
    cx_names_fini(&run->targets);
    cx_names_fini(&run->environment);
    cx_names_fini(&run->within);
    cx_subject_fini(subject);
    return code;
}

struct run_command {
    struct cx_campaign_options options;
    const char *subject;
    struct cx_names words; // scenarios, or what comes after the subject
};

static error_t command_parse(int key, char *argument, struct argp_state *state)
{
    struct run_command *command = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &command->options;
        return 0;
    case KEY_SUBJECT:
        command->subject = argument;
        return 0;
    case ARGP_KEY_ARG:
        cx_names_append(&command->words, argument);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

enum cx_exit cx_cmd_run(int argc, char **argv)
{
    static const struct argp_option own[] = {
        {"subject", KEY_SUBJECT, "PROGRAM", 0, "Explore this program, which `constrictor cc` has linked", 0}, {0}};
    static const struct argp_child children[] = {{&cx_run_options_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {own, command_parse, arguments_doc, doc, children, NULL, NULL};
    struct run_command command = {.options = cx_run_options_default};
    struct cx_campaign_options *run = &command.options;
    struct cx_subject subject = {0};
    struct cx_error error = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &command);
    if (command.subject != NULL && run->targets.count > 0) {
        cx_error_set(&error, CX_ERR_USAGE, "--subject is a program of its own: no --target belongs to it");
    } else if (command.subject == NULL && command.words.count == 0) {
        cx_error_set(&error, CX_ERR_USAGE, "name a scenario, or all; `constrictor list` shows them");
    } else if (command.subject == NULL && run->targets.count == 0) {
        cx_error_set(&error, CX_ERR_USAGE, "--target is missing; `constrictor target list` shows them");
    }
    if (error.text[0] != '\0') {
        cx_command_usage("run", &error);
    }
    if (command.subject != NULL) {
        subject.kind = CX_SUBJECT_PROGRAM;
        cx_names_append(&subject.words, command.subject);
        for (size_t i = 0; i < command.words.count; i++) {
            cx_names_append(&subject.words, command.words.list[i]);
        }
        cx_names_fini(&command.words);
    } else {
        run->patterns = command.words;
    }
    return cx_run_options_play("run", run, &subject);
}
