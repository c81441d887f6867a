// SPDX-License-Identifier: Apache-2.0
//
// test_schedule_input: schedules of fuzz_schedule: plans and back, segments, mutants that stay what they mean, and what
// of earlier runs directs them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fuzz/common/past.h"
#include "fuzz/schedule_input.h"

#define ROUNDS 3000
#define BYTES_MAX (1 + FUZZ_SCHEDULE_BYTES_MAX)

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

// What is read from these bytes and written again is these bytes.
static void assert_exact(const uint8_t *data, size_t size, struct fuzz_schedule *schedule)
{
    uint8_t written[FUZZ_SCHEDULE_BYTES_MAX];
    assert_true(size > FUZZ_SCHEDULE_BYTES);
    fuzz_schedule_read(schedule, data + 1, size - 1);
    assert_int_equal(fuzz_schedule_write(schedule, written), size - 1);
    assert_memory_equal(written, data + 1, size - 1);
}

static void test_schedule_input_mutants_are_what_they_mean(void **state)
{
    (void)state;
    uint8_t data[BYTES_MAX] = {7};
    size_t size = 1;
    uint32_t segments = 0, switches = 0, moved = 0, strategies[FUZZ_STRATEGIES] = {0};
    for (unsigned seed = 1; seed < ROUNDS; seed++) {
        struct fuzz_schedule schedule;
        uint8_t before = data[0];
        if (seed % 100 == 0) { // a mutant of another strategy never follows switches again
            memset(data + 1, 0, sizeof(data) - 1);
            size = 1 + FUZZ_SCHEDULE_BYTES;
        }
        size = LLVMFuzzerCustomMutator(data, size, sizeof(data), seed);
        assert_exact(data, size, &schedule);
        moved += data[0] != before;
        strategies[schedule.strategy]++;
        segments = schedule.segments_count > segments ? schedule.segments_count : segments;
        switches = schedule.switches_count > switches ? schedule.switches_count : switches;
    }
    assert_in_range(segments, 3, FUZZ_SEGMENTS_MAX);
    assert_in_range(switches, 2, FUZZ_SWITCHES_MAX);
    assert_in_range(moved, ROUNDS / 12, ROUNDS / 6); // one in eight
    for (uint32_t i = 0; i < FUZZ_STRATEGIES; i++) {
        assert_in_range(strategies[i], 20, ROUNDS / 2);
    }
    assert_int_equal(LLVMFuzzerCustomMutator(data, size, 5, 1), 5);
}

static void test_schedule_input_segments_come_back_in_order(void **state)
{
    (void)state;
    struct cx_prng prng = {3};
    uint8_t bytes[FUZZ_SCHEDULE_BYTES_MAX + 40], again[FUZZ_SCHEDULE_BYTES_MAX];
    for (int round = 0; round < ROUNDS; round++) {
        struct fuzz_schedule schedule;
        struct cx_segments segments;
        size_t size = cx_prng_below(&prng, sizeof(bytes) + 1);
        for (size_t i = 0; i < size; i++) {
            bytes[i] =
                (uint8_t)cx_prng_below(&prng, round % 2 == 0 ? 256 : 2); // many that come after as many hand-offs
        }
        fuzz_schedule_read(&schedule, bytes, size);
        size_t written = fuzz_schedule_write(&schedule, again);
        struct fuzz_schedule same;
        fuzz_schedule_read(&same, again, written);
        assert_memory_equal(&same, &schedule, sizeof(same));
        fuzz_schedule_segments(&schedule, &segments);
        int random = fuzz_strategies[schedule.strategy] == CX_STRATEGY_RANDOM;
        assert_int_equal(segments.count, schedule.segments_count + (random ? 1 : 0));
        for (uint32_t i = 0; i < segments.count; i++) {
            assert_true(i == 0 || segments.list[i].after >= segments.list[i - 1].after);
            assert_in_range(segments.list[i].rate, 0, CX_RATE_MAX);
        }
    }
}

static void test_schedule_input_mutants_go_on_where_something_was_new(void **state)
{
    (void)state;
    struct cx_prng prng = {9};
    const struct fuzz_past past = {.handoffs = 40, .fresh_at = 23};
    uint32_t at_fresh = 0, elsewhere = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct fuzz_schedule schedule = {.strategy = 3, .seed = 77, .segments_count = 2};
        schedule.segments[0] = (struct cx_segment){.seed = 1, .after = 10, .strategy = CX_STRATEGY_POS};
        schedule.segments[1] = (struct cx_segment){.seed = 2, .after = 30, .strategy = CX_STRATEGY_RANDOM, .rate = 4};
        fuzz_schedule_change(&prng, &schedule, &past);
        if (schedule.seed != 77) { // it begins anew
            assert_int_equal(schedule.segments_count, 0);
            continue;
        }
        const struct cx_segment *last = &schedule.segments[schedule.segments_count - 1];
        assert_in_range(last->after, 1, past.handoffs);
        assert_int_equal(schedule.segments_count, 1 + (last->after > 10) + (last->after > 30));
        assert_true(schedule.segments_count == 1 || schedule.segments[0].seed == 1);
        at_fresh += last->after == past.fresh_at;
        elsewhere += last->after != past.fresh_at;
    }
    assert_in_range(at_fresh, ROUNDS / 6, ROUNDS / 3); // half of half
    assert_in_range(elsewhere, ROUNDS / 6, ROUNDS / 3);
}

static void test_schedule_input_ways_that_reach_more_are_taken(void **state)
{
    (void)state;
    const struct fuzz_schedule pos = {.strategy = 2};
    struct fuzz_reached reached = {.handoffs = 5};
    struct cx_prng prng = {4};
    uint8_t input[FUZZ_SCHEDULE_BYTES];
    size_t size = fuzz_schedule_write(&pos, input);
    uint32_t taken[2] = {0};
    for (int knows = 0; knows < 2; knows++) {
        reached.fresh = knows ? 9 : 0;
        fuzz_past_note(input, size, &pos, &reached);
        for (int round = 0; round < ROUNDS; round++) {
            struct fuzz_schedule schedule = {.strategy = 1};
            const struct fuzz_past past = fuzz_past_of(input, size);
            assert_int_equal(past.handoffs, 5);
            fuzz_schedule_change(&prng, &schedule, &past);
            taken[knows] += fuzz_schedule_kind(&schedule) == fuzz_schedule_kind(&pos);
        }
    }
    assert_in_range(taken[0], ROUNDS / 10, ROUNDS / 6);    // a fourth of a half
    assert_in_range(taken[1], ROUNDS / 3, ROUNDS * 1 / 2); // and a third
    assert_int_equal(fuzz_past_of(input, size - 1).handoffs, 0);
}

static void test_schedule_input_plans_come_back(void **state)
{
    (void)state;
    struct cx_prng prng = {5};
    struct cx_deviation plan[FUZZ_SWITCHES_MAX];
    for (int round = 0; round < ROUNDS; round++) {
        struct fuzz_schedule schedule = {0}, again;
        schedule.switches_count = (uint32_t)cx_prng_below(&prng, FUZZ_SWITCHES_MAX + 1);
        for (uint32_t i = 0; i < schedule.switches_count; i++) {
            schedule.switches[i] = (struct fuzz_switch){.thread = (uint8_t)cx_prng_below(&prng, FUZZ_SWITCH_THREADS),
                                                        .to = (uint8_t)cx_prng_below(&prng, FUZZ_SWITCH_THREADS),
                                                        .point = i + 1};
        }
        uint32_t count = fuzz_schedule_plan(&schedule, plan);
        assert_int_equal(fuzz_schedule_from_plan(&again, plan, count), 0);
        assert_memory_equal(&again.switches, &schedule.switches, sizeof(again.switches));
        assert_int_equal(again.switches_count, schedule.switches_count);
    }
    plan[0] = (struct cx_deviation){.thread = cx_thread_key(cx_thread_key(CX_THREAD_KEY_MAIN, 1), 1), .choice = 1};
    struct fuzz_schedule schedule;
    assert_int_equal(fuzz_schedule_from_plan(&schedule, plan, 1), -1); // a thread that no input can name
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schedule_input_mutants_are_what_they_mean),
        cmocka_unit_test(test_schedule_input_segments_come_back_in_order),
        cmocka_unit_test(test_schedule_input_mutants_go_on_where_something_was_new),
        cmocka_unit_test(test_schedule_input_ways_that_reach_more_are_taken),
        cmocka_unit_test(test_schedule_input_plans_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
