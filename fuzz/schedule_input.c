// SPDX-License-Identifier: Apache-2.0
//
// schedule_input: see schedule_input.h.
#include "fuzz/schedule_input.h"

#include <stdlib.h>
#include <string.h>

#define POINT_BITS_MAX 18 // a finalization has 300 000 points

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

void fuzz_schedule_read(struct fuzz_schedule *schedule, const uint8_t *data, size_t size)
{
    memset(schedule, 0, sizeof(*schedule));
    schedule->strategy = (uint8_t)(take(&data, &size, 1) % FUZZ_STRATEGIES);
    schedule->depth = (uint8_t)(take(&data, &size, 1) % FUZZ_DEPTHS);
    schedule->seed = take(&data, &size, 8);
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

static uint32_t below(struct cx_prng *prng, uint32_t bound)
{
    return (uint32_t)cx_prng_below(prng, bound);
}

// A number of any magnitude alike: most schedules that matter have points early in a thread's life.
static uint32_t point_draw(struct cx_prng *prng)
{
    return 1 + below(prng, 1u << below(prng, POINT_BITS_MAX + 1));
}

static void switch_change(struct cx_prng *prng, struct fuzz_schedule *schedule)
{
    uint32_t at = schedule->switches_count > 0 ? below(prng, schedule->switches_count) : 0;
    struct fuzz_switch *entry = &schedule->switches[at];
    uint32_t what = schedule->switches_count > 0 ? below(prng, 6) : 0;
    if (what < 2 && schedule->switches_count < FUZZ_SWITCHES_MAX) {
        schedule->switches[schedule->switches_count++] = (struct fuzz_switch){
            .thread = (uint8_t)below(prng, FUZZ_SWITCH_THREADS),
            .to = (uint8_t)below(prng, FUZZ_SWITCH_THREADS),
            .point = point_draw(prng),
        };
    } else if (what == 2) {
        *entry = schedule->switches[--schedule->switches_count];
    } else if (what == 3) {
        entry->to = (uint8_t)below(prng, FUZZ_SWITCH_THREADS);
    } else if (what == 4) {
        entry->point += below(prng, 9);
        entry->point -= entry->point > 4 ? 4 : 0;
    } else {
        entry->point = point_draw(prng);
    }
}

void fuzz_schedule_change(struct cx_prng *prng, struct fuzz_schedule *schedule)
{
    switch (below(prng, 6)) {
    case 0:
        schedule->strategy = (uint8_t)below(prng, FUZZ_STRATEGIES);
        break;
    case 1:
        schedule->depth = (uint8_t)below(prng, FUZZ_DEPTHS);
        break;
    default:
        if (fuzz_strategies[schedule->strategy] == CX_STRATEGY_REPLAY) {
            switch_change(prng, schedule);
        } else {
            schedule->seed = cx_prng_next(prng);
        }
        break;
    }
}
