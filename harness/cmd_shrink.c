// SPDX-License-Identifier: Apache-2.0
//
// cmd_shrink: `constrictor shrink` reduces a schedule file to the switches that matter and writes FILE.min.cxs.
//
// A trial that shows the file's signature among others counts. The result is replayed strictly three times before it is
// written; Ctrl-C keeps the best so far. Then the functions are looked for that matter, and the file is written again
// with what was found.
#include <argp.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/command.h"
#include "harness/exec/interrupt.h"
#include "harness/exec/live.h"
#include "harness/exec/session.h"
#include "harness/exec/window.h"
#include "harness/finding.h"
#include "harness/options.h"
#include "harness/trace/format.h"
#include "harness/trace/shrink.h"

#define CX_TRIALS_MAX_DEFAULT 2000
#define CX_WINDOW_RUNS_DEFAULT 100
#define CX_WINDOW_RUNS_MAX 1000000
#define CX_SAMPLES_MAX 600 // new runs drawn when the list stays long
#define CX_SAMPLE_DEPTH 3  // two preemptions each

static char doc[] =
    "Reduce a schedule file to the switches that matter.\vThe result is FILE.min.cxs, replayed three times "
    "before it is written. Exit code 0: written.";
static char arguments_doc[] = "FILE";

enum option_key { KEY_FORCE = 0x100, KEY_TRIALS, KEY_WINDOW };

static const struct argp_option options[] = {
    {"out", 'o', "OUT", 0, "Write to OUT", 0},
    {"trials", KEY_TRIALS, "N", 0, "Give up after N trials (default 2000)", 0},
    {"window", KEY_WINDOW, "N", 0,
     "Random schedules for each number of the functions that matter (default 100); 0: do not look for them", 0},
    {"force", KEY_FORCE, NULL, 0, "Try a schedule that was made on another build", 0},
    {0},
};

struct shrink_options {
    const char *path;
    const char *out_path;
    uint64_t trials_max;
    uint64_t window_runs;
    int force;
};

// The context of the search: where trials are played, and what is told meanwhile.
struct shrinker {
    struct cx_session *session;
    struct cx_live live;
    uint64_t steps; // of the best run
    uint64_t fingerprint;
    uint64_t choices; // of the run to begin with
};

static error_t option_parse(int key, char *argument, struct argp_state *state)
{
    struct shrink_options *shrink = state->input;
    struct cx_error error = {0};
    enum cx_status status = CX_OK;
    switch (key) {
    case 'o':
        shrink->out_path = argument;
        break;
    case KEY_TRIALS:
        status = cx_option_number("--trials", argument, 1, UINT32_MAX, &shrink->trials_max, &error);
        break;
    case KEY_WINDOW:
        status = cx_option_number("--window", argument, 0, CX_WINDOW_RUNS_MAX, &shrink->window_runs, &error);
        break;
    case KEY_FORCE:
        shrink->force = 1;
        break;
    case ARGP_KEY_ARG:
        if (shrink->path != NULL) {
            status = cx_error_set(&error, CX_ERR_USAGE, "\"%s\" is one file too many", argument);
        }
        shrink->path = argument;
        break;
    case ARGP_KEY_END:
        if (shrink->path == NULL) {
            status = cx_error_set(&error, CX_ERR_USAGE, "name a schedule file");
        }
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    if (status != CX_OK) {
        cx_command_usage("shrink", &error);
    }
    return 0;
}

// Whether the run that was just played shows the finding, and what it did.
static enum cx_status trial_judge(struct shrinker *shrinker, int *same, struct cx_shrink_list *normalised,
                                  struct cx_error *error)
{
    const struct cx_result *result = cx_worker_result(shrinker->session->worker);
    *same = cx_session_same(shrinker->session) && !result->deviations_dropped;
    if (!*same) {
        return CX_OK;
    }
    for (uint32_t i = 0; i < result->reports_count; i++) {
        (void)cx_schedule_path_add(&shrinker->session->schedule, result->threads[i].path, NULL);
    }
    normalised->list = malloc((result->deviations_count + 1) * sizeof(*normalised->list));
    if (normalised->list == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    memcpy(normalised->list, cx_worker_deviations(shrinker->session->worker),
           result->deviations_count * sizeof(*normalised->list));
    normalised->count = result->deviations_count;
    return CX_OK;
}

static enum cx_status trial_play(void *context, const struct cx_deviation *plan, size_t plan_count, int *same,
                                 struct cx_shrink_list *normalised, struct cx_error *error)
{
    struct shrinker *shrinker = context;
    enum cx_status status = cx_session_play(shrinker->session, plan, plan_count, 0, error);
    return status == CX_OK ? trial_judge(shrinker, same, normalised, error) : status;
}

static enum cx_status trial_log(void *context, const struct cx_deviation *plan, size_t plan_count,
                                struct cx_step **steps, size_t *steps_count, struct cx_error *error)
{
    struct shrinker *shrinker = context;
    enum cx_status status = cx_session_play(shrinker->session, plan, plan_count, CX_MODE_LOG, error);
    return status == CX_OK ? cx_worker_log(shrinker->session->worker, steps, steps_count, error) : status;
}

static enum cx_status sample_play(void *context, uint64_t number, const struct cx_shrink_list *plan, int *same,
                                  struct cx_shrink_list *normalised, struct cx_error *error)
{
    struct shrinker *shrinker = context;
    struct cx_sample sample = {
        .number = number, .strategy = CX_STRATEGY_PCT, .depth = CX_SAMPLE_DEPTH, .choices_expected = shrinker->choices};
    struct cx_shrink_list numbers = {0};
    enum cx_status status = cx_shrink_numbers_of(plan, &numbers, error);
    if (status == CX_OK) {
        sample.numbers = numbers.list;
        sample.numbers_count = (uint32_t)numbers.count;
        status = cx_session_sample(shrinker->session, &sample, error);
    }
    cx_shrink_list_fini(&numbers);
    return status == CX_OK ? trial_judge(shrinker, same, normalised, error) : status;
}

static void progress_show(void *context, const struct cx_shrink *shrink)
{
    struct shrinker *shrinker = context;
    const struct cx_result *result = cx_worker_result(shrinker->session->worker);
    shrinker->steps = result->steps;
    shrinker->fingerprint = result->fingerprint;
    if (!shrinker->live.terminal || cx_live_due(&shrinker->live)) {
        char line[200], numbers[60] = "";
        size_t numbers_count = cx_shrink_numbers(&shrink->best);
        if (numbers_count > 0) {
            snprintf(numbers, sizeof(numbers), "%zu numbers of main, ", numbers_count);
        }
        snprintf(line, sizeof(line), "trial %" PRIu64 ": %s%zu preemptions, %zu deviations", shrink->trials, numbers,
                 cx_schedule_preemptions(shrink->best.list, shrink->best.count), shrink->best.count);
        cx_live_show(&shrinker->live, line);
    }
}

// The file as it stands must show its own signature: shrinking anything else would shrink something else.
static enum cx_status base_play(struct shrinker *shrinker, struct cx_shrink *shrink, struct cx_error *error)
{
    struct cx_session *session = shrinker->session;
    const struct cx_schedule *schedule = &session->schedule;
    int same = 0;
    enum cx_status status =
        trial_play(shrinker, schedule->deviations, (size_t)schedule->deviations_count, &same, &shrink->best, error);
    if (status == CX_OK && !same) {
        char outcome[500];
        cx_session_outcome_text(session, outcome, sizeof(outcome));
        return cx_error_set(error, CX_ERR_USAGE, "the schedule does not show its signature here, but: %.450s", outcome);
    }
    if (status == CX_OK) {
        shrinker->choices = cx_worker_result(session->worker)->choices;
        shrinker->steps = cx_worker_result(session->worker)->steps;
        shrinker->fingerprint = cx_worker_result(session->worker)->fingerprint;
    }
    return status;
}

static enum cx_status result_verify(struct cx_session *session, const struct cx_shrink_list *best,
                                    struct cx_error *error)
{
    for (int i = 0; i < CX_CONFIRMATIONS; i++) {
        enum cx_status status = cx_session_play(session, best->list, best->count, CX_MODE_STRICT, error);
        if (status != CX_OK) {
            return status;
        }
        if (!cx_session_same(session)) {
            char outcome[500];
            cx_session_outcome_text(session, outcome, sizeof(outcome));
            return cx_error_set(error, CX_ERR_ENVIRONMENT, "the shrunk schedule does not replay: %.450s", outcome);
        }
    }
    return CX_OK;
}

// FILE.cxs becomes FILE.min.cxs, another name gets ".min.cxs" added.
static void out_path_default(const char *path, char out[PATH_MAX])
{
    size_t chars = strlen(path);
    size_t suffix_chars = strlen(CX_SCHEDULE_SUFFIX);
    if (chars > suffix_chars && strcmp(path + chars - suffix_chars, CX_SCHEDULE_SUFFIX) == 0) {
        chars -= suffix_chars;
    }
    snprintf(out, PATH_MAX, "%.*s.min%s", (int)chars, path, CX_SCHEDULE_SUFFIX);
}

static enum cx_status result_write(struct shrinker *shrinker, const struct cx_shrink_list *best, const char *out_path,
                                   struct cx_error *error)
{
    struct cx_schedule *schedule = &shrinker->session->schedule;
    enum cx_status status = cx_schedule_deviations_set(schedule, best->list, best->count, error);
    const struct cx_identity *identity = cx_worker_identity(shrinker->session->worker);
    snprintf(schedule->build_id, sizeof(schedule->build_id), "%s", identity->build_id);
    snprintf(schedule->strategy, sizeof(schedule->strategy), "shrink");
    memset(&schedule->window, 0, sizeof(schedule->window));
    schedule->depth = 0;
    schedule->steps = shrinker->steps;
    schedule->fingerprint = shrinker->fingerprint;
    return status == CX_OK ? cx_schedule_write(schedule, out_path, error) : status;
}

static void window_progress(void *context, const struct cx_window_search *search)
{
    struct shrinker *shrinker = context;
    char line[200];
    snprintf(line, sizeof(line),
             "trial %" PRIu64 ": %d functions, in which preemptions show the finding in %" PRIu64 " of %" PRIu64
             " runs",
             search->trials, __builtin_popcount(search->functions), search->inside, search->runs);
    cx_live_show(&shrinker->live, line);
}

// Which functions matter; told and kept only if it was confirmed. The schedule stands in the file already.
static enum cx_status window_add(struct shrinker *shrinker, const struct shrink_options *given,
                                 const struct cx_shrink *shrink, const char *out, struct cx_error *error)
{
    struct cx_session *session = shrinker->session;
    struct cx_schedule_window window;
    char why[200];
    const struct cx_window_options wanted = {.runs = given->window_runs,
                                             .trials_max = given->trials_max,
                                             .trials = shrink->trials,
                                             .progress = window_progress,
                                             .context = shrinker};
    if (given->window_runs == 0) {
        return CX_OK;
    }
    enum cx_status status = cx_session_window(session, &shrink->best, &wanted, &window, why, error);
    cx_live_clear(&shrinker->live);
    if (status == CX_OK && window.runs > 0) {
        session->schedule.window = window;
        status = cx_schedule_write(&session->schedule, out, error);
    }
    if (status == CX_OK && why[0] != '\0') {
        printf("which functions matter is not known: %s\n", why);
    } else if (status == CX_OK) {
        cx_window_print(&window, "", stdout);
    }
    return status;
}

static enum cx_exit shrink_all(struct shrinker *shrinker, const struct shrink_options *options_given,
                               struct cx_shrink *shrink)
{
    struct cx_session *session = shrinker->session;
    struct cx_error error = {0};
    uint32_t threads[CX_THREADS_REPORT_MAX];
    char out_path[PATH_MAX];
    enum cx_status status = cx_session_open(session, options_given->path, options_given->force, &error);
    if (status == CX_OK) {
        status = base_play(shrinker, shrink, &error);
    }
    if (status != CX_OK) {
        return cx_command_fail(status, &error);
    }
    size_t before = cx_schedule_preemptions(session->schedule.deviations, (size_t)session->schedule.deviations_count);
    for (size_t i = 0; i < session->schedule.paths_count && i < CX_THREADS_REPORT_MAX; i++) {
        threads[shrink->threads_count++] = session->schedule.paths[i].key;
    }
    shrink->threads = threads;
    status = cx_shrink_run(shrink, &error);
    cx_live_clear(&shrinker->live);
    int interrupted = status == CX_ERR_INTERRUPTED;
    if (status != CX_OK && !interrupted) {
        return cx_command_fail(status, &error);
    }
    out_path_default(options_given->path, out_path);
    const char *out = options_given->out_path != NULL ? options_given->out_path : out_path;
    uint64_t count_before = session->schedule.deviations_count;
    status = interrupted ? CX_OK : result_verify(session, &shrink->best, &error);
    if (status == CX_OK) {
        status = result_write(shrinker, &shrink->best, out, &error);
    }
    if (status != CX_OK) {
        return cx_command_fail(status, &error);
    }
    printf("%zu preemptions of %zu left, %zu deviations of %" PRIu64 ", after %" PRIu64 " trials%s\n",
           cx_schedule_preemptions(shrink->best.list, shrink->best.count), before, shrink->best.count, count_before,
           shrink->trials, interrupted ? "; interrupted, this is the best so far, not verified" : "; replayed 3/3");
    printf("written: %s\n", out);
    if (!interrupted) {
        status = window_add(shrinker, options_given, shrink, out, &error);
        if (status == CX_ERR_INTERRUPTED) {
            interrupted = 1;
            puts("interrupted before it was known which functions matter");
        } else if (status != CX_OK) {
            return cx_command_fail(status, &error);
        }
    }
    printf("next: constrictor explain %s\n", out);
    return interrupted ? CX_EXIT_INTERRUPTED : CX_EXIT_OK;
}

enum cx_exit cx_cmd_shrink(int argc, char **argv)
{
    static const struct argp argp = {options, option_parse, arguments_doc, doc, NULL, NULL, NULL};
    struct shrink_options given = {.trials_max = CX_TRIALS_MAX_DEFAULT, .window_runs = CX_WINDOW_RUNS_DEFAULT};
    argp_parse(&argp, argc, argv, 0, NULL, &given);
    struct shrinker shrinker = {.session = calloc(1, sizeof(*shrinker.session))};
    if (shrinker.session == NULL) {
        return CX_EXIT_ENVIRONMENT;
    }
    cx_live_init(&shrinker.live);
    struct cx_shrink shrink = {.context = &shrinker,
                               .play = trial_play,
                               .log = trial_log,
                               .sample = sample_play,
                               .progress = progress_show,
                               .samples_max = CX_SAMPLES_MAX,
                               .trials_max = given.trials_max};
    enum cx_exit code = shrink_all(&shrinker, &given, &shrink);
    cx_shrink_list_fini(&shrink.best);
    cx_session_close(shrinker.session);
    free(shrinker.session);
    return code;
}
