// SPDX-License-Identifier: Apache-2.0
//
// test_schedule_input: schedules of fuzz_schedule: plans and back, mutants and crossings that stay what they mean.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fuzz/schedule_input.h"

#define ROUNDS 3000
#define BYTES_MAX (1 + FUZZ_SCHEDULE_BYTES_MAX)

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2, size_t size2, uint8_t *out,
                                 size_t max_out_size, unsigned int seed);

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
    uint32_t longest = 0, moved = 0;
    for (unsigned seed = 1; seed < ROUNDS; seed++) {
        struct fuzz_schedule schedule;
        uint8_t before = data[0];
        size = LLVMFuzzerCustomMutator(data, size, sizeof(data), seed);
        assert_exact(data, size, &schedule);
        moved += data[0] != before;
        longest = schedule.switches_count > longest ? schedule.switches_count : longest;
    }
    assert_in_range(longest, 5, FUZZ_SWITCHES_MAX);
    assert_in_range(moved, ROUNDS / 12, ROUNDS / 6); // one in eight
    assert_int_equal(LLVMFuzzerCustomMutator(data, size, 5, 1), 5);
}

static size_t input_fill(uint8_t *data, uint8_t scenario, uint32_t point)
{
    struct fuzz_schedule schedule = {.seed = point, .switches_count = 8};
    for (uint32_t i = 0; i < 8; i++) {
        schedule.switches[i] = (struct fuzz_switch){.thread = 1, .to = 2, .point = point + i};
    }
    data[0] = scenario;
    return 1 + fuzz_schedule_write(&schedule, data + 1);
}

static void test_schedule_input_crossings_mix_switches_of_one_scenario(void **state)
{
    (void)state;
    uint8_t first[BYTES_MAX], second[BYTES_MAX], out[BYTES_MAX];
    size_t first_size = input_fill(first, 3, 100);
    size_t second_size = input_fill(second, 3, 200);
    uint32_t own = 0, others = 0;
    struct fuzz_schedule schedule;
    for (unsigned seed = 1; seed < 200; seed++) {
        size_t size = LLVMFuzzerCustomCrossOver(first, first_size, second, second_size, out, sizeof(out), seed);
        assert_exact(out, size, &schedule);
        assert_int_equal(out[0], 3);
        assert_int_equal(schedule.seed, 100);
        for (uint32_t i = 0; i < schedule.switches_count; i++) {
            own += schedule.switches[i].point < 200;
            others += schedule.switches[i].point >= 200;
        }
    }
    assert_in_range(own, 600, 1000); // half of 199 times 8
    assert_in_range(others, 600, 1000);
    second[0] = 4;
    size_t size = LLVMFuzzerCustomCrossOver(first, first_size, second, second_size, out, sizeof(out), 1);
    assert_exact(out, size, &schedule);
    assert_int_equal(out[0], 3);
    assert_int_equal(schedule.switches_count, 8);
    assert_int_equal(schedule.switches[0].point, 200);
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
        cmocka_unit_test(test_schedule_input_crossings_mix_switches_of_one_scenario),
        cmocka_unit_test(test_schedule_input_plans_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
