// SPDX-License-Identifier: Apache-2.0
//
// cmd_fuzz: the command line of `constrictor fuzz`. The work is in exec/engine.h.
#include <argp.h>

#include "harness/command.h"
#include "harness/exec/engine.h"
#include "harness/options.h"

#define CX_FUZZ_TARGET_DEFAULT "3.14.7-ft-debug"
#define CX_FUZZ_NS_DEFAULT (10 * 60 * 1000000000ull)

static char doc[] =
    "Let a fuzz target search, and file what it finds."
    "\vFUZZ_TARGET is fuzz_lifecycle (programs and their schedules), fuzz_schedule (schedules of scenarios), or one of "
    "what reads files: fuzz_trace_reader, fuzz_known_file, fuzz_gate_state, fuzz_options. Findings are told once for "
    "each signature, replayed three times, and saved as schedule files below DIR, as `constrictor run` saves them. At "
    "the end the corpus is merged into the fewest inputs that reach the same.";
static char arguments_doc[] = "FUZZ_TARGET";

enum option_key { KEY_FOR = 0x100, KEY_CORPUS, KEY_OUT, KEY_KNOWN, KEY_SCENARIO, KEY_MISUSE, KEY_DRIFT };

static const struct argp_option argp_options[] = {
    {"target", 't', "T", 0, "CPython to run on (default " CX_FUZZ_TARGET_DEFAULT ")", 0},
    {"for", KEY_FOR, "TIME", 0, "How long (default 10m)", 0},
    {"jobs", 'j', "N", 0, "Processes (default 1)", 0},
    {"seed", 'S', "N", 0, "Seed of the engine (default 1)", 0},
    {"corpus", KEY_CORPUS, "DIR", 0, "Inputs to begin with, and to keep (default: a folder in that of --out)", 0},
    {"out", KEY_OUT, "DIR", 0, "Folder for findings and logs (default constrictor-out)", 0},
    {"known", KEY_KNOWN, "FILE", 0, "Known defects, which fail no run; or none (default: scenarios/known.json)", 0},
    {"scenario", KEY_SCENARIO, "NAME", 0, "fuzz_schedule: schedules of this scenario alone", 0},
    {"misuse", KEY_MISUSE, NULL, 0, "fuzz_lifecycle: play what the documentation forbids, too", 0},
    {"drift", KEY_DRIFT, NULL, 0, "fuzz_lifecycle: programs that finalize nothing, and may leave nothing behind", 0},
    {0},
};

static error_t option_parse(int key, char *argument, struct argp_state *state)
{
    struct cx_engine_options *options = state->input;
    struct cx_error error = {0};
    enum cx_status status = CX_OK;
    uint64_t number = 0;
    switch (key) {
    case 't':
        options->target = argument;
        break;
    case KEY_FOR:
        status = cx_option_duration_ns("--for", argument, &options->time_ns, &error);
        if (status == CX_OK && options->time_ns < 1000000000ull) {
            status = cx_error_set(&error, CX_ERR_USAGE, "--for %s: at least 1s", argument);
        }
        break;
    case 'j':
        status = cx_option_number("--jobs", argument, 1, CX_ENGINE_JOBS_MAX, &number, &error);
        options->jobs = (uint32_t)number;
        break;
    case 'S':
        status = cx_option_number("--seed", argument, 0, UINT64_MAX - CX_ENGINE_JOBS_MAX, &options->seed, &error);
        break;
    case KEY_CORPUS:
        options->corpus_dir = argument;
        break;
    case KEY_OUT:
        options->out_dir = argument;
        break;
    case KEY_KNOWN:
        options->known_path = argument;
        break;
    case KEY_SCENARIO:
        options->scenario = argument;
        break;
    case KEY_MISUSE:
        options->mode = "misuse";
        break;
    case KEY_DRIFT:
        options->mode = "drift";
        break;
    case ARGP_KEY_ARG:
        if (options->name != NULL) {
            status = cx_error_set(&error, CX_ERR_USAGE, "one fuzz target at a time, not %s as well", argument);
        }
        options->name = argument;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    if (status != CX_OK) {
        cx_command_usage("fuzz", &error);
    }
    return 0;
}

enum cx_exit cx_cmd_fuzz(int argc, char **argv)
{
    static const struct argp argp = {argp_options, option_parse, arguments_doc, doc, NULL, NULL, NULL};
    struct cx_engine_options options = {.target = CX_FUZZ_TARGET_DEFAULT,
                                        .out_dir = "constrictor-out",
                                        .time_ns = CX_FUZZ_NS_DEFAULT,
                                        .mode = "",
                                        .seed = 1,
                                        .jobs = 1};
    struct cx_error error = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    if (options.name == NULL) {
        cx_error_set(&error, CX_ERR_USAGE, "name a fuzz target, such as fuzz_lifecycle");
        cx_command_usage("fuzz", &error);
    }
    return cx_engine_run(&options);
}
