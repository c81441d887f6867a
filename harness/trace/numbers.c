// SPDX-License-Identifier: Apache-2.0
//
// numbers: fewer of the numbers that the thread `main` draws, before the switches are looked at.
//
// Where a program is drawn (fuzz/lifecycle.h), a number that is left out, which is 0 then, is an operation less. So
// operations go first, many at once and then one by one, and switches later. A program that is shorter has other
// points: what is left is played with the switches as they are, then with each at the same place of the new program
// (align.c), then under a few new schedules. The finding must stay the same; its schedule need not.
#include <stdlib.h>
#include <string.h>

#include "harness/trace/schedule.h"
#include "harness/trace/shrink.h"

#define CX_ALIGNED_MAX 2 // a plan that is aligned may part again further on
#define CX_NEW_SCHEDULES 16

static int is_number(const struct cx_deviation *entry)
{
    return entry->kind == CX_DEVIATION_PICK && entry->thread == CX_THREAD_KEY_MAIN;
}

size_t cx_shrink_numbers(const struct cx_shrink_list *list)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        count += (size_t)is_number(&list->list[i]);
    }
    return count;
}

uint32_t cx_shrink_first_number(const struct cx_shrink_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (is_number(&list->list[i]) && list->list[i].point == 1) {
            return list->list[i].choice;
        }
    }
    return 0;
}

static struct cx_deviation *room(size_t entries, struct cx_error *error)
{
    struct cx_deviation *plan = malloc((entries + 1) * sizeof(*plan));
    if (plan == NULL) {
        (void)cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    return plan;
}

static enum cx_status list_copy(const struct cx_shrink_list *list, struct cx_shrink_list *out, struct cx_error *error)
{
    out->list = room(list->count, error);
    if (out->list == NULL) {
        return CX_ERR_MEMORY;
    }
    memcpy(out->list, list->list, list->count * sizeof(*out->list));
    out->count = list->count;
    return CX_OK;
}

enum cx_status cx_shrink_numbers_of(const struct cx_shrink_list *list, struct cx_shrink_list *numbers,
                                    struct cx_error *error)
{
    numbers->count = 0;
    numbers->list = room(list->count, error);
    for (size_t i = 0; i < list->count && numbers->list != NULL; i++) {
        if (is_number(&list->list[i])) {
            numbers->list[numbers->count++] = list->list[i];
        }
    }
    return numbers->list != NULL ? CX_OK : CX_ERR_MEMORY;
}

// A way of the numbers to become fewer, or smaller.
struct change {
    size_t first, count; // so many numbers from this one on are left out,
    int less;            // or the first is one less
};

// The best list after the change.
static enum cx_status changed(const struct cx_shrink_list *best, const struct change *change,
                              struct cx_shrink_list *out, struct cx_error *error)
{
    size_t number = 0;
    out->count = 0;
    out->list = room(best->count, error);
    if (out->list == NULL) {
        return CX_ERR_MEMORY;
    }
    for (size_t i = 0; i < best->count; i++) {
        struct cx_deviation entry = best->list[i];
        if (is_number(&entry)) {
            int hit = number >= change->first && number - change->first < change->count;
            entry.choice -= (uint32_t)(hit && change->less);
            number++;
            if (hit && !change->less) {
                continue;
            }
        }
        out->list[out->count++] = entry;
    }
    return CX_OK;
}

// The candidate with each switch where its own run `to` has the place that it has in the best run `from`.
static enum cx_status aligned(const struct cx_shrink_list *candidate, const struct cx_shrink_log *from,
                              const struct cx_shrink_log *to, struct cx_shrink_list *out, struct cx_error *error)
{
    enum cx_status status = list_copy(candidate, out, error);
    return status == CX_OK ? cx_shrink__align(from, to, out->list, &out->count, error) : status;
}

// Play `plan`, and then the candidate as that run has its places. `plan` becomes the latter.
static enum cx_status aligned_once(struct cx_shrink *shrink, const struct cx_shrink_list *candidate,
                                   const struct cx_shrink_log *from, struct cx_shrink_list *plan, int *taken,
                                   struct cx_error *error)
{
    struct cx_shrink_log to = {0};
    struct cx_shrink_list next = {0};
    shrink->trials++;
    enum cx_status status = shrink->log(shrink->context, plan->list, plan->count, &to.steps, &to.count, error);
    if (status == CX_OK) {
        status = aligned(candidate, from, &to, &next, error);
    }
    if (status == CX_OK) {
        status = cx_shrink__try(shrink, next.list, next.count, taken, error);
    }
    free(to.steps);
    cx_shrink_list_fini(plan);
    *plan = next;
    return status;
}

static enum cx_status aligned_try(struct cx_shrink *shrink, const struct cx_shrink_list *candidate, int *taken,
                                  struct cx_error *error)
{
    struct cx_shrink_log from = {0};
    struct cx_shrink_list plan = {0};
    shrink->trials++;
    enum cx_status status =
        shrink->log(shrink->context, shrink->best.list, shrink->best.count, &from.steps, &from.count, error);
    if (status == CX_OK) {
        status = list_copy(candidate, &plan, error);
    }
    for (int i = 0; i < CX_ALIGNED_MAX && status == CX_OK && !*taken; i++) {
        status = aligned_once(shrink, candidate, &from, &plan, taken, error);
    }
    cx_shrink_list_fini(&plan);
    free(from.steps);
    return status;
}

static int trials_left(const struct cx_shrink *shrink)
{
    return shrink->trials < shrink->trials_max;
}

// One change, in the cheapest way that shows the finding again.
static enum cx_status change_try(struct cx_shrink *shrink, const struct change *change, int *taken,
                                 struct cx_error *error)
{
    struct cx_shrink_list candidate = {0};
    *taken = 0;
    enum cx_status status = changed(&shrink->best, change, &candidate, error);
    if (status == CX_OK) {
        status = cx_shrink__try(shrink, candidate.list, candidate.count, taken, error);
    }
    int has_switches = candidate.count > cx_shrink_numbers(&candidate);
    if (status == CX_OK && !*taken && shrink->log != NULL && has_switches && trials_left(shrink)) {
        status = aligned_try(shrink, &candidate, taken, error);
    }
    uint64_t schedules = shrink->sample != NULL ? CX_NEW_SCHEDULES : 0;
    for (uint64_t i = 0; i < schedules && status == CX_OK && !*taken && trials_left(shrink); i++) {
        status = cx_shrink__sample(shrink, &candidate, i, taken, error);
    }
    cx_shrink_list_fini(&candidate);
    return status;
}

// Halves, quarters, ... single numbers.
static enum cx_status numbers_remove(struct cx_shrink *shrink, int *any, struct cx_error *error)
{
    size_t count = cx_shrink_numbers(&shrink->best);
    for (size_t chunk = (count + 1) / 2; chunk > 0 && count > 0; chunk = chunk > 1 ? (chunk + 1) / 2 : 0) {
        for (size_t first = 0; first < cx_shrink_numbers(&shrink->best) && trials_left(shrink);) {
            int taken = 0;
            const struct change change = {.first = first, .count = chunk};
            enum cx_status status = change_try(shrink, &change, &taken, error);
            if (status != CX_OK) {
                return status;
            }
            *any |= taken;
            first += taken ? 0 : chunk;
        }
    }
    return CX_OK;
}

enum cx_status cx_shrink__fewer_numbers(struct cx_shrink *shrink, int *any, struct cx_error *error)
{
    *any = 0;
    enum cx_status status = numbers_remove(shrink, any, error);
    // The first number often says how many of something there are.
    int taken = 1;
    while (status == CX_OK && taken && cx_shrink_first_number(&shrink->best) > 1 && trials_left(shrink)) {
        const struct change change = {.first = 0, .count = 1, .less = 1};
        status = change_try(shrink, &change, &taken, error);
        *any |= taken;
    }
    return status;
}
