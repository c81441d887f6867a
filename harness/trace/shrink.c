// SPDX-License-Identifier: Apache-2.0
//
// shrink: see shrink.h. Every accepted trial makes the best list strictly smaller, so every phase ends.
#include "harness/trace/shrink.h"

#include <stdlib.h>
#include <string.h>

#include "harness/trace/schedule.h"

#define CX_PAIRS_LIST_MAX 24    // pairs are tried in lists up to this length: 276 trials
#define CX_RETARGET_LIST_MAX 10 // removing one and retargeting another: 180 trials for every thread
#define CX_PREEMPTIONS_GOOD 3u  // a list with at most so many is small enough to read

void cx_shrink_list_fini(struct cx_shrink_list *list)
{
    free(list->list);
    list->list = NULL;
    list->count = 0;
}

int cx_shrink_smaller(const struct cx_shrink_list *left, const struct cx_shrink_list *right)
{
    size_t left_numbers = cx_shrink_numbers(left);
    size_t right_numbers = cx_shrink_numbers(right);
    if (left_numbers != right_numbers) {
        return left_numbers < right_numbers;
    }
    uint32_t left_first = cx_shrink_first_number(left);
    uint32_t right_first = cx_shrink_first_number(right);
    if (left_first != right_first) {
        return left_first < right_first;
    }
    size_t left_preemptions = cx_schedule_preemptions(left->list, left->count);
    size_t right_preemptions = cx_schedule_preemptions(right->list, right->count);
    if (left_preemptions != right_preemptions) {
        return left_preemptions < right_preemptions;
    }
    return left->count < right->count;
}

// Take what a trial did if it is smaller than the best so far.
static int better_take(struct cx_shrink *shrink, int same, struct cx_shrink_list *normalised)
{
    if (!same || !cx_shrink_smaller(normalised, &shrink->best)) {
        cx_shrink_list_fini(normalised);
        return 0;
    }
    cx_shrink_list_fini(&shrink->best);
    shrink->best = *normalised;
    shrink->progress(shrink->context, shrink);
    return 1;
}

enum cx_status cx_shrink__try(struct cx_shrink *shrink, const struct cx_deviation *plan, size_t plan_count, int *better,
                              struct cx_error *error)
{
    struct cx_shrink_list normalised = {0};
    int same = 0;
    shrink->trials++;
    enum cx_status status = shrink->play(shrink->context, plan, plan_count, &same, &normalised, error);
    *better = better_take(shrink, status == CX_OK && same, &normalised);
    return status;
}

enum cx_status cx_shrink__sample(struct cx_shrink *shrink, const struct cx_shrink_list *plan, uint64_t number,
                                 int *better, struct cx_error *error)
{
    struct cx_shrink_list normalised = {0};
    int same = 0;
    shrink->trials++;
    enum cx_status status = shrink->sample(shrink->context, number, plan, &same, &normalised, error);
    *better = better_take(shrink, status == CX_OK && same, &normalised);
    return status;
}

// What a trial leaves out of the best list.
struct left_out {
    size_t first, first_count; // so many entries from there on,
    size_t second, second_count;
    uint32_t thread; // and every switch that stops this thread or goes to it; 0: none
};

static int is_left_out(const struct left_out *out, const struct cx_deviation *entry, size_t at)
{
    int about = entry->thread == out->thread || (entry->kind == CX_DEVIATION_SWITCH && entry->choice == out->thread);
    return (at >= out->first && at - out->first < out->first_count) ||
           (at >= out->second && at - out->second < out->second_count) || (out->thread != 0 && about);
}

// The best list without what is left out, tried if that is at least so many entries.
static enum cx_status without_try(struct cx_shrink *shrink, const struct left_out *out, size_t least, int *better,
                                  struct cx_error *error)
{
    const struct cx_shrink_list *best = &shrink->best;
    struct cx_deviation *plan = malloc((best->count + 1) * sizeof(*plan));
    if (plan == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    size_t count = 0;
    for (size_t i = 0; i < best->count; i++) {
        if (!is_left_out(out, &best->list[i], i)) {
            plan[count++] = best->list[i];
        }
    }
    enum cx_status status = CX_OK;
    if (count + least <= best->count) {
        status = cx_shrink__try(shrink, plan, count, better, error);
    }
    free(plan);
    return status;
}

static int trials_left(const struct cx_shrink *shrink)
{
    return shrink->trials < shrink->trials_max;
}

// Chunks: halves, quarters, ... single entries. After a success the search goes on at the same place of the new list.
static enum cx_status chunks_remove(struct cx_shrink *shrink, struct cx_error *error)
{
    size_t parts = 1; // the empty plan first: the default order may do
    while (shrink->best.count > 0 && trials_left(shrink)) {
        size_t chunk = (shrink->best.count + parts - 1) / parts;
        int any = 0;
        for (size_t first = 0; first < shrink->best.count && trials_left(shrink);) {
            int better = 0;
            const struct left_out out = {.first = first, .first_count = chunk};
            enum cx_status status = without_try(shrink, &out, 0, &better, error);
            if (status != CX_OK) {
                return status;
            }
            any |= better;
            first += better ? 0 : chunk;
        }
        if (chunk == 1 && !any) {
            break;
        }
        parts = any && parts > 2 ? parts - 1 : parts * 2;
        parts = parts > shrink->best.count && shrink->best.count > 0 ? shrink->best.count : parts;
    }
    return CX_OK;
}

// Threads whose switches all go at once: chunks have them only by luck, pairs only where there are two.
static enum cx_status threads_remove(struct cx_shrink *shrink, int *any, struct cx_error *error)
{
    enum cx_status status = CX_OK;
    for (size_t k = 0; status == CX_OK && k < shrink->threads_count && trials_left(shrink); k++) {
        int better = 0;
        const struct left_out out = {.thread = shrink->threads[k]};
        status = without_try(shrink, &out, 2, &better, error); // single entries are tried anyway
        *any |= better;
    }
    return status;
}

// Pairs that only go together, such as a switch away and the switch back.
static enum cx_status pairs_remove(struct cx_shrink *shrink, int *any, struct cx_error *error)
{
    if (shrink->best.count > CX_PAIRS_LIST_MAX) {
        return CX_OK;
    }
    for (size_t first = 0; first < shrink->best.count; first++) {
        for (size_t second = first + 1; second < shrink->best.count && trials_left(shrink); second++) {
            int better = 0;
            const struct left_out out = {.first = first, .first_count = 1, .second = second, .second_count = 1};
            enum cx_status status = without_try(shrink, &out, 0, &better, error);
            if (status != CX_OK) {
                return status;
            }
            if (better) {
                *any = 1;
                second = first; // the list is another one now
            }
        }
    }
    return CX_OK;
}

// One way to give switches away: entry `removed` (SIZE_MAX: none) is left out, and so are those behind the changed one
// if `cut`, for they may belong to the way things went before.
struct retarget {
    size_t removed;
    int cut;
};

// The best list with entry `changed` given to `thread`, tried.
static enum cx_status retarget_try(struct cx_shrink *shrink, struct retarget retarget, size_t changed, uint32_t thread,
                                   int *better, struct cx_error *error)
{
    const struct cx_shrink_list *best = &shrink->best;
    struct cx_deviation *plan = malloc((best->count + 1) * sizeof(*plan));
    if (plan == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    size_t count = 0;
    for (size_t i = 0; i < best->count; i++) {
        if (i != retarget.removed && !(retarget.cut && i > changed)) {
            plan[count] = best->list[i];
            plan[count].choice = i == changed ? thread : plan[count].choice;
            count++;
        }
    }
    enum cx_status status = cx_shrink__try(shrink, plan, count, better, error);
    free(plan);
    return status;
}

// Give one switch to another thread, each in turn; stops at the first success.
static enum cx_status targets_replace(struct cx_shrink *shrink, struct retarget retarget, int *better,
                                      struct cx_error *error)
{
    *better = 0;
    for (size_t i = 0; i < shrink->best.count; i++) {
        for (size_t k = 0; k < shrink->threads_count && trials_left(shrink); k++) {
            const struct cx_deviation *old = &shrink->best.list[i];
            if (i == retarget.removed || old->kind != CX_DEVIATION_SWITCH || old->choice == shrink->threads[k] ||
                old->thread == shrink->threads[k]) {
                continue;
            }
            enum cx_status status = retarget_try(shrink, retarget, i, shrink->threads[k], better, error);
            if (status != CX_OK || *better) {
                return status;
            }
        }
    }
    return CX_OK;
}

// Another thread may need fewer of the switches that follow; in a short list, also one of the others less.
static enum cx_status targets_search(struct cx_shrink *shrink, int *any, struct cx_error *error)
{
    int better = 0;
    enum cx_status status = targets_replace(shrink, (struct retarget){.removed = SIZE_MAX}, &better, error);
    for (size_t i = 0; shrink->best.count <= CX_RETARGET_LIST_MAX && i < 2 * shrink->best.count; i++) {
        if (status != CX_OK || better) {
            break;
        }
        status = targets_replace(shrink, (struct retarget){.removed = i / 2, .cut = i % 2}, &better, error);
    }
    *any |= better;
    return status;
}

static enum cx_status fixpoint_find(struct cx_shrink *shrink, struct cx_error *error)
{
    enum cx_status status = CX_OK;
    int any = 1;
    while (status == CX_OK && any && trials_left(shrink)) {
        any = 0;
        status = chunks_remove(shrink, error);
        if (status == CX_OK) {
            status = threads_remove(shrink, &any, error);
        }
        if (status == CX_OK) {
            status = pairs_remove(shrink, &any, error);
        }
        if (status == CX_OK) {
            status = targets_search(shrink, &any, error);
        }
    }
    return status;
}

// Draw new runs until one shows the finding with fewer preemptions.
static enum cx_status samples_draw(struct cx_shrink *shrink, uint64_t *next, int *better, struct cx_error *error)
{
    enum cx_status status = CX_OK;
    *better = 0;
    while (status == CX_OK && !*better && *next < shrink->samples_max && trials_left(shrink)) {
        status = cx_shrink__sample(shrink, &shrink->best, (*next)++, better, error);
    }
    return status;
}

enum cx_status cx_shrink_run(struct cx_shrink *shrink, struct cx_error *error)
{
    uint64_t next_sample = 0;
    for (;;) {
        int better = 0;
        enum cx_status status = cx_shrink__fewer_numbers(shrink, &better, error);
        if (status == CX_OK) {
            better = 0;
            status = fixpoint_find(shrink, error);
        }
        size_t preemptions = cx_schedule_preemptions(shrink->best.list, shrink->best.count);
        if (status == CX_OK && preemptions > CX_PREEMPTIONS_GOOD && shrink->log != NULL) {
            status = cx_shrink__relocate(shrink, &better, error);
        }
        if (status == CX_OK && !better && preemptions > CX_PREEMPTIONS_GOOD && shrink->sample != NULL) {
            status = samples_draw(shrink, &next_sample, &better, error);
        }
        if (status != CX_OK || !better) {
            return status;
        }
    }
}
