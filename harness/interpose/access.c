// SPDX-License-Identifier: Apache-2.0
//
// access: see access.h. Which accesses count is in the request.
#include "harness/interpose/access.h"

int cx_access_mode;
int cx_atomics_quiet;

static int seen; // scheduler token: this run has had an access point

void cx_access_begin(void)
{
    const struct cx_points *points = &cx_sched.channel->request.points;
    seen = 0;
    // The first one is to be noticed, also where all of them count.
    cx_access_mode = points->level == CX_POINTS_ACCESS ? CX_ACCESS_SOME : CX_ACCESS_NONE;
    cx_atomics_quiet = points->level == CX_POINTS_SYNC;
}

int cx_access_narrowed(void)
{
    const struct cx_points *points = &cx_sched.channel->request.points;
    return points->code_count + points->data_count > 0;
}

uint32_t cx_quantum(uint32_t points)
{
    return cx_access_mode == CX_ACCESS_NONE || cx_access_narrowed() ? points : points * CX_QUANTUM_ACCESSES;
}

// Code ranges are sorted and do not overlap. A return address may already be the next function's.
static int in_code(const struct cx_range *ranges, uint32_t count, const void *caller)
{
    uint64_t pc = (uint64_t)(uintptr_t)caller - 1;
    uint32_t low = 0;
    uint32_t high = count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (pc >= ranges[middle].end) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count && pc >= ranges[low].start;
}

static int in_data(const struct cx_points *points, uint64_t address, uint64_t bytes)
{
    for (uint32_t i = points->code_count; i < points->code_count + points->data_count; i++) {
        if (address < points->ranges[i].end && address + bytes > points->ranges[i].start) {
            return 1;
        }
    }
    return 0;
}

int cx_points_within(const void *caller, const void *address, uint64_t bytes)
{
    const struct cx_points *points = &cx_sched.channel->request.points;
    return in_code(points->ranges, points->code_count, caller) || in_data(points, (uint64_t)(uintptr_t)address, bytes);
}

int cx_window_open(const void *caller)
{
    const struct cx_window *window = &cx_sched.channel->request.window;
    return window->kind == CX_WINDOW_NONE ||
           in_code(window->ranges, window->count, caller) == (window->kind == CX_WINDOW_INSIDE);
}

int cx_access_counts(uintptr_t address, uint64_t bytes, const void *caller)
{
    int counts = !cx_access_narrowed() || cx_points_within(caller, (const void *)address, bytes);
    if (counts && !seen) {
        seen = 1;
        cx_sched.channel->result.accesses_seen = 1;
        if (!cx_access_narrowed()) {
            cx_access_mode = CX_ACCESS_ALL;
        }
    }
    return counts;
}
