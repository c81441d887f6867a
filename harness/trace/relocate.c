// SPDX-License-Identifier: Apache-2.0
//
// relocate: the places of a long schedule, looked for in short runs.
//
// A point is named by its thread's own count, so a preemption deep in a run loses its meaning when an earlier one that
// made its thread wait or spin is taken away: the thread comes to the same place with another count. What matters is
// often only where a thread was left standing when the others went on. So: play one preemption of the list alone, look
// in that run's log for the places where the thread that it let go was stopped in the long run, or was standing when
// that ended, and try each of them as a second preemption.
#include <stdlib.h>

#include "harness/trace/shrink.h"

#define CX_PLACES_MAX 12 // of one thread in the long run
#define CX_PLACES_BACK 5 // of these, steps up to and at each stop: a thread that spins has come from where it did not
#define CX_MATCHES_MAX 4 // of one place in the short run: the last ones, next to what comes after
#define CX_SHORT_MAX 2   // switches of a short run
#define CX_FIRSTS_MAX 24 // preemptions that are tried as the first one: the last ones of the list

// Where a thread is about to do something, whatever its count.
struct place {
    uint64_t caller;
    uint8_t op;
};

static enum cx_status log_play(struct cx_shrink *shrink, const struct cx_deviation *plan, size_t plan_count,
                               struct cx_shrink_log *log, struct cx_error *error)
{
    shrink->trials++;
    return shrink->log(shrink->context, plan, plan_count, &log->steps, &log->count, error);
}

// The plan of a short run: the numbers of the best list, and behind them one or two switches.
static enum cx_status short_plan(const struct cx_shrink *shrink, const struct cx_deviation *switches, size_t count,
                                 struct cx_shrink_list *plan, struct cx_error *error)
{
    enum cx_status status = cx_shrink_numbers_of(&shrink->best, plan, error);
    struct cx_deviation *longer =
        status == CX_OK ? realloc(plan->list, (plan->count + CX_SHORT_MAX) * sizeof(*longer)) : NULL;
    if (longer == NULL) {
        cx_shrink_list_fini(plan);
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    plan->list = longer;
    for (size_t i = 0; i < count; i++) {
        plan->list[plan->count++] = switches[i];
    }
    return CX_OK;
}

static void place_add(struct place *places, size_t *count, const struct cx_step *step)
{
    for (size_t i = 0; i < *count; i++) {
        if (places[i].caller == step->caller && places[i].op == step->op) {
            return;
        }
    }
    if (*count < CX_PLACES_MAX) {
        places[(*count)++] = (struct place){.caller = step->caller, .op = step->op};
    }
}

// Where `thread` stood when the long run ended, and where it was stopped on the way, the latest first.
static size_t places_find(const struct cx_shrink_list *list, const struct cx_shrink_log *log, uint32_t thread,
                          struct place *places)
{
    size_t count = 0;
    size_t next = list->count;
    int back = CX_PLACES_BACK; // first of all the end
    for (size_t i = log->count; i-- > 0;) {
        const struct cx_step *step = &log->steps[i];
        if (step->thread != thread) {
            continue;
        }
        while (next > 0 && (list->list[next - 1].thread != thread || list->list[next - 1].point > step->point)) {
            next--;
        }
        if (next > 0 && list->list[next - 1].point == step->point) {
            back = CX_PLACES_BACK;
        }
        if (back > 0 && step->op != CX_OP_YIELD) {
            place_add(places, &count, step);
            back--;
        }
    }
    return count;
}

// Try the last steps of the short run that are at this place as a second preemption.
static enum cx_status place_try(struct cx_shrink *shrink, struct cx_deviation first, const struct place *place,
                                const struct cx_shrink_log *log, int *better, struct cx_error *error)
{
    int matches = 0;
    for (size_t i = log->count; i-- > 0 && matches < CX_MATCHES_MAX && shrink->trials < shrink->trials_max;) {
        const struct cx_step *step = &log->steps[i];
        if (step->thread != first.choice || step->caller != place->caller || step->op != place->op) {
            continue;
        }
        matches++;
        struct cx_deviation plan[2] = {first,
                                       {.kind = CX_DEVIATION_SWITCH,
                                        .thread = step->thread,
                                        .point = step->point,
                                        .op = step->op,
                                        .object = step->object,
                                        .choice = first.thread,
                                        .preemption = 1}};
        struct cx_shrink_list both = {0};
        enum cx_status status = short_plan(shrink, plan, 2, &both, error);
        status = status == CX_OK ? cx_shrink__try(shrink, both.list, both.count, better, error) : status;
        cx_shrink_list_fini(&both);
        if (status != CX_OK || *better) {
            return status;
        }
    }
    return CX_OK;
}

static enum cx_status first_try(struct cx_shrink *shrink, struct cx_deviation first, const struct place *places,
                                size_t places_count, int *better, struct cx_error *error)
{
    struct cx_shrink_log log = {0};
    struct cx_shrink_list one = {0};
    enum cx_status status = short_plan(shrink, &first, 1, &one, error);
    if (status == CX_OK) {
        status = cx_shrink__try(shrink, one.list, one.count, better, error);
    }
    if (status == CX_OK && !*better) {
        status = log_play(shrink, one.list, one.count, &log, error);
    }
    cx_shrink_list_fini(&one);
    for (size_t i = 0; status == CX_OK && !*better && i < places_count; i++) {
        status = place_try(shrink, first, &places[i], &log, better, error);
    }
    free(log.steps);
    return status;
}

enum cx_status cx_shrink__relocate(struct cx_shrink *shrink, int *better, struct cx_error *error)
{
    struct cx_shrink_log log = {0};
    size_t tried = 0;
    *better = 0;
    enum cx_status status = log_play(shrink, shrink->best.list, shrink->best.count, &log, error);
    for (size_t i = shrink->best.count; i-- > 0 && status == CX_OK && !*better && tried < CX_FIRSTS_MAX;) {
        struct cx_deviation first = shrink->best.list[i];
        if (first.kind != CX_DEVIATION_SWITCH || !first.preemption || shrink->trials >= shrink->trials_max) {
            continue;
        }
        struct place places[CX_PLACES_MAX];
        size_t places_count = places_find(&shrink->best, &log, first.choice, places);
        status = first_try(shrink, first, places, places_count, better, error);
        tried++;
    }
    free(log.steps);
    return status;
}
