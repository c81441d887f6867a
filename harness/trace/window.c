// SPDX-License-Identifier: Apache-2.0
//
// window: see window.h.
#include "harness/trace/window.h"

#include <inttypes.h>
#include <string.h>

// One number: how many runs with this window show the finding. Ends early, with less than `least`, where so many cannot
// be reached any more. 0 too where the first of them does not replay.
static enum cx_status measure(struct cx_window_search *search, enum cx_window_kind kind, uint32_t functions,
                              uint64_t least, uint64_t *found, struct cx_error *error)
{
    enum cx_status status = CX_OK;
    *found = 0;
    for (uint64_t i = 0; status == CX_OK && i < search->runs && *found + (search->runs - i) >= least; i++) {
        int same = 0;
        int confirmed = 1;
        search->trials++;
        status = search->draw(search->context, kind, functions, i, &same, error);
        if (status == CX_OK && same && *found == 0 && kind == CX_WINDOW_INSIDE) {
            status = search->confirm(search->context, &confirmed, error);
        }
        if (!confirmed) {
            return status;
        }
        *found += status == CX_OK && same;
    }
    return status;
}

static int trials_for(const struct cx_window_search *search, uint64_t numbers)
{
    return search->trials + numbers * search->runs <= search->trials_max;
}

// Take the functions alone if they do as well as that, and trials for the two other numbers are left.
static enum cx_status subset_try(struct cx_window_search *search, uint32_t functions, uint64_t least, int *taken,
                                 struct cx_error *error)
{
    uint64_t found = 0;
    *taken = 0;
    if (!trials_for(search, 3)) {
        return CX_OK;
    }
    enum cx_status status = measure(search, CX_WINDOW_INSIDE, functions, least, &found, error);
    if (status == CX_OK && found >= least) {
        search->functions = functions;
        search->inside = found;
        *taken = 1;
        search->progress(search->context, search);
    }
    return status;
}

// None at all, then one less and again one less.
static enum cx_status smallest_find(struct cx_window_search *search, struct cx_error *error)
{
    uint64_t least = (search->inside + 1) / 2;
    int taken = search->functions == 0;
    enum cx_status status = CX_OK;
    if (!taken) {
        status = subset_try(search, 0, least, &taken, error);
    }
    int any = !taken;
    while (status == CX_OK && any) {
        any = 0;
        for (uint32_t i = 0; status == CX_OK && i < search->functions_count; i++) {
            uint32_t without = search->functions & ~(1u << i);
            if (without != search->functions && without != 0) {
                status = subset_try(search, without, least, &taken, error);
                any |= taken;
            }
        }
    }
    return status;
}

enum cx_status cx_window_find(struct cx_window_search *search, struct cx_error *error)
{
    search->functions = (1u << search->functions_count) - 1;
    search->inside = search->outside = search->anywhere = 0;
    if (search->runs == 0 || !trials_for(search, 3)) {
        return CX_OK;
    }
    uint64_t inside = 0;
    enum cx_status status = measure(search, CX_WINDOW_INSIDE, search->functions, 0, &inside, error);
    if (status == CX_OK && inside > 0) {
        search->inside = inside;
        search->progress(search->context, search);
        status = smallest_find(search, error);
        if (status == CX_OK) {
            status = measure(search, CX_WINDOW_NONE, 0, 0, &search->anywhere, error);
        }
        // Outside of nothing is anywhere.
        search->outside = search->anywhere;
        if (status == CX_OK && search->functions != 0) {
            status = measure(search, CX_WINDOW_OUTSIDE, search->functions, 0, &search->outside, error);
        }
    }
    search->inside = status == CX_OK ? search->inside : 0;
    return status;
}

void cx_window_print(const struct cx_schedule_window *window, const char *indent, FILE *stream)
{
    if (window->runs == 0) {
        return;
    }
    if (strcmp(window->functions, "-") == 0) {
        fprintf(stream,
                "%sNo preemption is needed, only the choice who goes on where a thread waits, yields or ends:\n"
                "%s   of %" PRIu64 " random schedules each, the finding comes in %" PRIu64
                " that preempt nowhere, and in %" PRIu64 " that preempt anywhere\n",
                indent, indent, window->runs, window->inside, window->anywhere);
        return;
    }
    fprintf(stream,
            "%s%s: %s\n"
            "%s   of %" PRIu64 " random schedules each, the finding comes in %" PRIu64
            " that preempt only there,\n%s   in %" PRIu64 " that preempt everywhere else, and in %" PRIu64
            " that preempt anywhere\n",
            indent,
            window->outside == 0 ? "Only points inside these functions matter"
                                 : "Preemptions inside these functions suffice",
            window->functions, indent, window->runs, window->inside, indent, window->outside, window->anywhere);
}
