// SPDX-License-Identifier: Apache-2.0
//
// window: see window.h.
#include "harness/exec/window.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/detect/places.h"
#include "harness/exec/within.h"
#include "harness/finding.h"

#define CX_WINDOW_SEED 0x77696e646f77ULL // numbers of runs of their own, beside those of shrinking

struct function {
    char name[CX_PLACE_NAME_BYTES];
    struct cx_places places; // owned
};

struct finder {
    struct cx_session *session;
    const struct cx_shrink_list *best; // borrowed
    struct cx_shrink_list numbers;     // of main; owned
    struct function functions[CX_WINDOW_FUNCTIONS_MAX];
    uint32_t count;
    struct cx_window window; // of the runs that are drawn
    uint64_t choices;        // of a run in the default order with this window
    const struct cx_window_options *options;
};

static int is_covered(const struct function *function, uint64_t caller)
{
    for (size_t i = 0; i < function->places.count; i++) {
        if (caller - 1 >= function->places.list[i].start && caller - 1 < function->places.list[i].end) {
            return 1;
        }
    }
    return 0;
}

// Add the function that performs an operation: the one that tells most of those that were inlined there, with all its
// other copies; or the one of the symbol, where debugging information has no such name.
static enum cx_status function_add(struct finder *finder, uint64_t caller, char why[200], struct cx_error *error)
{
    const struct cx_resolver *resolver = &finder->session->resolver;
    const struct cx_identity *identity = cx_worker_identity(finder->session->worker);
    struct cx_names known = {0};
    for (uint32_t i = 0; i < finder->count; i++) {
        if (is_covered(&finder->functions[i], caller)) {
            return CX_OK;
        }
    }
    if (finder->count == CX_WINDOW_FUNCTIONS_MAX) {
        snprintf(why, 200, "the schedule preempts in more than %d functions", CX_WINDOW_FUNCTIONS_MAX);
        return CX_OK;
    }
    struct cx_symbol_stack *frames = calloc(1, sizeof(*frames));
    if (frames == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    struct function *function = &finder->functions[finder->count++];
    resolver->address(resolver->context, caller, frames);
    const char *name = cx_frame_telling(frames);
    snprintf(function->name, sizeof(function->name), "%s", name != NULL ? name : "");
    free(frames);
    enum cx_status status = CX_OK;
    if (name != NULL) {
        status = cx_places_find(identity, CX_PLACE_FUNCTION, function->name, &function->places, &known, error);
    }
    cx_names_fini(&known);
    if (status == CX_OK && !is_covered(function, caller)) {
        function->places.count = 0;
        status = cx_places_around(identity, caller - 1, &function->places, function->name, error);
    }
    if (status == CX_OK && !is_covered(function, caller)) {
        snprintf(why, 200, "the schedule preempts where no function is known");
    }
    return status;
}

// The functions in which `best` preempts, from its step log.
static enum cx_status functions_find(struct finder *finder, char why[200], struct cx_error *error)
{
    struct cx_session *session = finder->session;
    const struct cx_shrink_list *best = finder->best;
    struct cx_step *steps = NULL;
    size_t steps_count = 0;
    enum cx_status status = cx_session_play(session, best->list, best->count, CX_MODE_LOG, error);
    if (status == CX_OK) {
        status = cx_worker_log(session->worker, &steps, &steps_count, error);
    }
    for (size_t i = 0; i < best->count && status == CX_OK && why[0] == '\0'; i++) {
        const struct cx_deviation *entry = &best->list[i];
        size_t at = 0;
        if (entry->kind != CX_DEVIATION_SWITCH || !entry->preemption) {
            continue;
        }
        while (at < steps_count && (steps[at].thread != entry->thread || steps[at].point != entry->point)) {
            at++;
        }
        if (at == steps_count) {
            snprintf(why, 200, "a preemption is not in the step log");
        } else {
            status = function_add(finder, steps[at].caller, why, error);
        }
    }
    free(steps);
    return status;
}

static enum cx_status window_set(struct finder *finder, enum cx_window_kind kind, uint32_t functions,
                                 struct cx_error *error)
{
    struct cx_places code = {0};
    struct cx_places data = {0};
    struct cx_points *points = calloc(1, sizeof(*points));
    enum cx_status status = CX_OK;
    if (points == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    for (uint32_t i = 0; i < finder->count; i++) {
        const struct cx_places *places = &finder->functions[i].places;
        for (size_t k = 0; status == CX_OK && (functions >> i & 1) != 0 && k < places->count; k++) {
            status = cx_places_add(&code, places->list[k].start, places->list[k].end, error);
        }
    }
    if (status == CX_OK) {
        status = cx_points_set(points, &code, &data, error);
    }
    if (status == CX_OK) {
        finder->window.kind = kind;
        finder->window.count = points->code_count;
        memcpy(finder->window.ranges, points->ranges, points->code_count * sizeof(points->ranges[0]));
    }
    free(points);
    free(code.list);
    return status;
}

// The length of a run in points of the window: in the default order, as before a campaign.
static enum cx_status choices_find(struct finder *finder, struct cx_error *error)
{
    struct cx_request wanted = {.strategy = CX_STRATEGY_REPLAY,
                                .seed = finder->session->schedule.seed,
                                .plan_count = (uint32_t)finder->numbers.count,
                                .window = finder->window};
    enum cx_status status = cx_session_request(finder->session, &wanted, finder->numbers.list, error);
    finder->choices = status == CX_OK ? cx_worker_result(finder->session->worker)->choices + 1 : 0;
    return status;
}

static enum cx_status run_draw(void *context, enum cx_window_kind kind, uint32_t functions, uint64_t number, int *same,
                               struct cx_error *error)
{
    struct finder *finder = context;
    int program = cx_subject_is_program(finder->session->subject.kind);
    struct cx_sample sample = {.number = CX_WINDOW_SEED + number,
                               .strategy = CX_STRATEGY_RANDOM,
                               .rules = {CX_EARLY_NS_DEFAULT, program ? CX_SPURIOUS_DEFAULT : 0, 0},
                               .window = &finder->window,
                               .numbers = finder->numbers.list,
                               .numbers_count = (uint32_t)finder->numbers.count};
    enum cx_status status = number == 0 ? window_set(finder, kind, functions, error) : CX_OK;
    if (status == CX_OK && number == 0) {
        status = choices_find(finder, error);
    }
    sample.choices_expected = finder->choices;
    if (status == CX_OK) {
        status = cx_session_sample(finder->session, &sample, error);
    }
    *same = status == CX_OK && cx_session_same(finder->session);
    return status;
}

static enum cx_status run_confirm(void *context, int *same, struct cx_error *error)
{
    struct finder *finder = context;
    const struct cx_result *result = cx_worker_result(finder->session->worker);
    size_t count = result->deviations_count;
    struct cx_deviation *plan = malloc((count + 1) * sizeof(*plan));
    enum cx_status status = CX_OK;
    if (plan == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    *same = !result->deviations_dropped;
    if (*same) {
        memcpy(plan, cx_worker_deviations(finder->session->worker), count * sizeof(*plan));
    }
    for (int i = 0; i < CX_CONFIRMATIONS && *same; i++) {
        status = cx_session_play(finder->session, plan, count, CX_MODE_STRICT, error);
        *same = status == CX_OK && cx_session_same(finder->session);
    }
    free(plan);
    return status;
}

static void found_show(void *context, const struct cx_window_search *search)
{
    const struct finder *finder = context;
    finder->options->progress(finder->options->context, search);
}

static void names_join(const struct finder *finder, uint32_t functions, struct cx_schedule_window *window)
{
    size_t used = 0;
    snprintf(window->functions, sizeof(window->functions), "-");
    for (uint32_t i = 0; i < finder->count; i++) {
        if ((functions >> i & 1) != 0) {
            used += (size_t)snprintf(window->functions + used, sizeof(window->functions) - used, "%s%s",
                                     used > 0 ? "; " : "", finder->functions[i].name);
        }
    }
}

static enum cx_status window_search(struct finder *finder, struct cx_schedule_window *window, char why[200],
                                    struct cx_error *error)
{
    struct cx_window_search search = {.context = finder,
                                      .draw = run_draw,
                                      .confirm = run_confirm,
                                      .progress = found_show,
                                      .functions_count = finder->count,
                                      .runs = finder->options->runs,
                                      .trials = finder->options->trials,
                                      .trials_max = finder->options->trials_max};
    enum cx_status status = cx_window_find(&search, error);
    if (status != CX_OK) {
        return status;
    }
    if (search.inside > 0) {
        *window = (struct cx_schedule_window){
            .runs = search.runs, .inside = search.inside, .outside = search.outside, .anywhere = search.anywhere};
        names_join(finder, search.functions, window);
    } else if (search.trials == finder->options->trials) {
        snprintf(why, 200, "too few trials are left");
    } else {
        snprintf(why, 200, "none of %" PRIu64 " random schedules that preempt only where this one does shows it again",
                 search.runs);
    }
    return CX_OK;
}

enum cx_status cx_session_window(struct cx_session *session, const struct cx_shrink_list *best,
                                 const struct cx_window_options *options, struct cx_schedule_window *window,
                                 char why[200], struct cx_error *error)
{
    struct finder *finder = calloc(1, sizeof(*finder));
    memset(window, 0, sizeof(*window));
    why[0] = '\0';
    if (finder == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    finder->session = session;
    finder->best = best;
    finder->options = options;
    enum cx_status status = cx_shrink_numbers_of(best, &finder->numbers, error);
    if (status == CX_OK) {
        status = functions_find(finder, why, error);
    }
    if (status == CX_OK && why[0] == '\0') {
        status = window_search(finder, window, why, error);
    }
    for (uint32_t i = 0; i < finder->count; i++) {
        free(finder->functions[i].places.list);
    }
    cx_shrink_list_fini(&finder->numbers);
    free(finder);
    return status;
}
