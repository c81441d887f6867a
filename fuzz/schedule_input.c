// SPDX-License-Identifier: Apache-2.0
//
// schedule_input: see schedule_input.h.
#include "fuzz/schedule_input.h"

#include <stdlib.h>
#include <string.h>

const uint32_t fuzz_strategies[FUZZ_STRATEGIES] = {CX_STRATEGY_REPLAY, CX_STRATEGY_PCT, CX_STRATEGY_POS,
                                                   CX_STRATEGY_RANDOM, CX_STRATEGY_DELAY};

// The next `bytes` bytes as a number, of those that are there.
static uint64_t take(const uint8_t **data, size_t *left, uint32_t bytes)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < bytes && *left > 0; i++) {
        value |= (uint64_t)*(*data)++ << (8 * i);
        --*left;
    }
    return value;
}

static size_t put(uint8_t *data, uint64_t value, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++) {
        data[i] = (uint8_t)(value >> (8 * i));
    }
    return bytes;
}

static int is_of(const struct fuzz_schedule *schedule, enum cx_strategy_kind strategy)
{
    return fuzz_strategies[schedule->strategy] == strategy;
}

struct cx_segment fuzz_segment(uint32_t kind)
{
    if (kind >= FUZZ_KIND_HOLD) {
        return (struct cx_segment){.strategy = CX_STRATEGY_HOLD, .rate = (uint16_t)(kind - FUZZ_KIND_HOLD)};
    }
    if (kind >= FUZZ_KIND_FRESH) {
        return (struct cx_segment){.strategy = CX_STRATEGY_FRESH, .rate = (uint16_t)(kind - FUZZ_KIND_FRESH)};
    }
    if (kind == FUZZ_KIND_POS) {
        return (struct cx_segment){.strategy = CX_STRATEGY_POS};
    }
    return (struct cx_segment){.strategy = CX_STRATEGY_RANDOM, .rate = (uint16_t)kind};
}

uint32_t fuzz_segment_kind(const struct cx_segment *segment)
{
    switch (segment->strategy) {
    case CX_STRATEGY_HOLD:
        return FUZZ_KIND_HOLD + segment->rate;
    case CX_STRATEGY_FRESH:
        return FUZZ_KIND_FRESH + segment->rate;
    case CX_STRATEGY_POS:
        return FUZZ_KIND_POS;
    default:
        return segment->rate;
    }
}

// Behind all those that do not come later.
static void segment_insert(struct fuzz_schedule *schedule, const struct cx_segment *segment)
{
    uint32_t at = schedule->segments_count++;
    for (; at > 0 && schedule->segments[at - 1].after > segment->after; at--) {
        schedule->segments[at] = schedule->segments[at - 1];
    }
    schedule->segments[at] = *segment;
}

int fuzz_schedule_is_told(const struct fuzz_schedule *schedule)
{
    uint32_t i = 0;
    while (i < schedule->segments_count && fuzz_segment_kind(&schedule->segments[i]) < FUZZ_KIND_FRESH) {
        i++;
    }
    return i < schedule->segments_count;
}

static void segments_read(struct fuzz_schedule *schedule, const uint8_t *data, size_t size)
{
    uint32_t count = (uint32_t)(take(&data, &size, 1) % (FUZZ_SEGMENTS_MAX + 1));
    while (size > 0 && schedule->segments_count < count) {
        uint32_t kind = (uint32_t)(take(&data, &size, 1) % FUZZ_KINDS_OF_SEGMENTS);
        struct cx_segment segment = fuzz_segment(kind);
        segment.after = (uint32_t)take(&data, &size, 4);
        segment.seed = take(&data, &size, 8);
        segment_insert(schedule, &segment);
    }
    if (fuzz_schedule_is_told(schedule)) {
        memcpy(schedule->known, data, size < FUZZ_KNOWN_BYTES ? size : FUZZ_KNOWN_BYTES);
    }
}

static size_t segments_write(const struct fuzz_schedule *schedule, uint8_t *data)
{
    size_t at = put(data, schedule->segments_count, 1);
    for (uint32_t i = 0; i < schedule->segments_count; i++) {
        at += put(data + at, fuzz_segment_kind(&schedule->segments[i]), 1);
        at += put(data + at, schedule->segments[i].after, 4);
        at += put(data + at, schedule->segments[i].seed, 8);
    }
    if (fuzz_schedule_is_told(schedule)) {
        memcpy(data + at, schedule->known, FUZZ_KNOWN_BYTES);
        at += FUZZ_KNOWN_BYTES;
    }
    return at;
}

void fuzz_schedule_read(struct fuzz_schedule *schedule, const uint8_t *data, size_t size)
{
    memset(schedule, 0, sizeof(*schedule));
    schedule->strategy = (uint8_t)(take(&data, &size, 1) % FUZZ_STRATEGIES);
    schedule->depth =
        (uint8_t)(take(&data, &size, 1) % (is_of(schedule, CX_STRATEGY_RANDOM) ? FUZZ_RATES : FUZZ_DEPTHS));
    schedule->seed = take(&data, &size, 8);
    if (!is_of(schedule, CX_STRATEGY_REPLAY)) {
        segments_read(schedule, data, size);
        return;
    }
    while (size >= FUZZ_SWITCH_BYTES && schedule->switches_count < FUZZ_SWITCHES_MAX) {
        struct fuzz_switch *entry = &schedule->switches[schedule->switches_count++];
        entry->thread = (uint8_t)(take(&data, &size, 1) % FUZZ_SWITCH_THREADS);
        entry->to = (uint8_t)(take(&data, &size, 1) % FUZZ_SWITCH_THREADS);
        entry->point = (uint32_t)take(&data, &size, 4);
    }
}

size_t fuzz_schedule_write(const struct fuzz_schedule *schedule, uint8_t *data)
{
    size_t at = put(data, schedule->strategy, 1);
    at += put(data + at, schedule->depth, 1);
    at += put(data + at, schedule->seed, 8);
    if (!is_of(schedule, CX_STRATEGY_REPLAY)) {
        return at + segments_write(schedule, data + at);
    }
    for (uint32_t i = 0; i < schedule->switches_count; i++) {
        at += put(data + at, schedule->switches[i].thread, 1);
        at += put(data + at, schedule->switches[i].to, 1);
        at += put(data + at, schedule->switches[i].point, 4);
    }
    return at;
}

size_t fuzz_bytes_fit(const uint8_t *bytes, size_t size, uint8_t *out, size_t room)
{
    size_t fit = size < room ? size : room;
    memcpy(out, bytes, fit);
    return fit;
}

static uint32_t key_of(uint8_t thread)
{
    return thread == 0 ? CX_THREAD_KEY_MAIN : cx_thread_key(CX_THREAD_KEY_MAIN, thread);
}

static int by_point(const void *left, const void *right)
{
    const struct cx_deviation *a = left;
    const struct cx_deviation *b = right;
    return (a->point > b->point) - (a->point < b->point);
}

uint32_t fuzz_schedule_plan(const struct fuzz_schedule *schedule, struct cx_deviation *plan)
{
    for (uint32_t i = 0; i < schedule->switches_count; i++) {
        plan[i] = (struct cx_deviation){.point = schedule->switches[i].point,
                                        .thread = key_of(schedule->switches[i].thread),
                                        .choice = key_of(schedule->switches[i].to),
                                        .kind = CX_DEVIATION_SWITCH,
                                        .preemption = 1};
    }
    // Those of one thread have to come in their order; how the threads are mixed does not matter.
    if (schedule->switches_count > 0) {
        qsort(plan, schedule->switches_count, sizeof(*plan), by_point);
    }
    return schedule->switches_count;
}

void fuzz_schedule_segments(const struct fuzz_schedule *schedule, struct cx_segments *segments)
{
    segments->count = 0;
    if (is_of(schedule, CX_STRATEGY_RANDOM)) {
        segments->list[segments->count] = fuzz_segment(schedule->depth);
        segments->list[segments->count++].seed = schedule->seed;
    }
    memcpy(&segments->list[segments->count], schedule->segments,
           schedule->segments_count * sizeof(schedule->segments[0]));
    segments->count += schedule->segments_count;
}

// The number of a thread, or FUZZ_SWITCH_THREADS.
static uint8_t thread_of(uint32_t key)
{
    uint8_t thread = 0;
    while (thread < FUZZ_SWITCH_THREADS && key_of(thread) != key) {
        thread++;
    }
    return thread;
}

int fuzz_schedule_from_plan(struct fuzz_schedule *schedule, const struct cx_deviation *plan, size_t count)
{
    memset(schedule, 0, sizeof(*schedule));
    for (size_t i = 0; i < count; i++) {
        struct fuzz_switch entry = {
            .thread = thread_of(plan[i].thread), .to = thread_of(plan[i].choice), .point = (uint32_t)plan[i].point};
        if (plan[i].kind != CX_DEVIATION_SWITCH) {
            continue;
        }
        if (schedule->switches_count == FUZZ_SWITCHES_MAX || entry.thread == FUZZ_SWITCH_THREADS ||
            entry.to == FUZZ_SWITCH_THREADS || plan[i].point > UINT32_MAX) {
            return -1;
        }
        schedule->switches[schedule->switches_count++] = entry;
    }
    return 0;
}
