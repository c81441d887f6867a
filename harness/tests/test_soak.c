// SPDX-License-Identifier: Apache-2.0
//
// test_soak: the plan of a soak: what comes next is a function of seed and results, follows the yield and has a floor;
// and what usage and caps say.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/exec/seed.h"
#include "harness/soak/plan.h"
#include "harness/soak/usage.h"

#define PLACES 37
#define STRATEGIES 3

static uint32_t last_round[PLACES];

static void plan_make(struct cx_soak_plan *plan, uint64_t seed)
{
    assert_int_equal(cx_soak_plan_init(plan, seed, PLACES, STRATEGIES), 0);
}

static void test_soak_plan_is_a_function_of_seed_and_results(void **unused)
{
    (void)unused;
    struct cx_soak_plan left, right, other;
    plan_make(&left, 7);
    plan_make(&right, 7);
    plan_make(&other, 8);
    int differs = 0;
    for (uint64_t i = 0; i < 10 * PLACES; i++) {
        struct cx_soak_unit unit = cx_soak_plan_next(&left);
        struct cx_soak_unit twin = cx_soak_plan_next(&right);
        assert_int_equal(unit.number, i);
        assert_true(unit.seed == cx_seed_of_unit(7, i));
        assert_memory_equal(&unit, &twin, sizeof(unit));
        struct cx_soak_unit asked_again = cx_soak_plan_next(&left);
        assert_memory_equal(&unit, &asked_again, sizeof(unit));
        struct cx_soak_unit third = cx_soak_plan_next(&other);
        assert_true(third.seed != unit.seed);
        differs |= third.place != unit.place || third.strategy != unit.strategy;
        uint64_t fresh = unit.place == 5, cost = 1000 + unit.place;
        cx_soak_plan_judge(&left, fresh, cost);
        cx_soak_plan_judge(&right, fresh, cost);
        cx_soak_plan_judge(&other, third.place == 5, 1000 + third.place);
    }
    assert_true(differs);
    cx_soak_plan_fini(&left);
    cx_soak_plan_fini(&right);
    cx_soak_plan_fini(&other);
}

// Play rounds in which one place has `fresh` news in each unit; returns its units, and checks order and floor.
static uint32_t rounds_play(struct cx_soak_plan *plan, uint32_t rounds, uint32_t lucky, uint64_t fresh)
{
    uint32_t lucky_units = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        uint32_t before = 0;
        for (uint32_t i = 0; i < PLACES; i++) {
            struct cx_soak_unit unit = cx_soak_plan_next(plan);
            assert_true(unit.place < PLACES && unit.strategy < STRATEGIES);
            assert_true(unit.place >= before); // targets are not changed to and fro
            before = unit.place;
            last_round[unit.place] = (uint32_t)plan->round;
            lucky_units += unit.place == lucky;
            cx_soak_plan_judge(plan, unit.place == lucky ? fresh : 0, 1000);
        }
        for (uint32_t place = 0; place < PLACES; place++) {
            assert_true(plan->round - 1 - last_round[place] < CX_SOAK_FLOOR_ROUNDS);
        }
    }
    return lucky_units;
}

static void test_soak_plan_follows_the_yield_and_has_a_floor(void **unused)
{
    (void)unused;
    struct cx_soak_plan plan;
    plan_make(&plan, 1);
    memset(last_round, 0, sizeof(last_round));
    rounds_play(&plan, 1, PLACES, 0);
    uint32_t even = rounds_play(&plan, 8, 11, 0);
    uint32_t lucky = rounds_play(&plan, 8, 11, 1);
    uint32_t later = (rounds_play(&plan, 12, 11, 0), rounds_play(&plan, 8, 11, 0));
    assert_in_range(even, 4, 12);
    assert_true(lucky > 3 * even); // more where something new was found,
    assert_in_range(later, 4, 12); // and no more when that was long ago
    cx_soak_plan_fini(&plan);
}

static void test_soak_plan_counts_cost(void **unused)
{
    (void)unused;
    struct cx_soak_plan plan;
    uint32_t cheap = 0, dear = 0;
    plan_make(&plan, 1);
    for (uint32_t i = 0; i < 40 * PLACES; i++) {
        struct cx_soak_unit unit = cx_soak_plan_next(&plan);
        cheap += unit.place == 3;
        dear += unit.place == 4;
        cx_soak_plan_judge(&plan, 0, unit.place % 2 == 0 ? 100000 : 10000);
    }
    assert_true(dear >= 10); // its turns
    assert_true(cheap > 2 * dear);
    cx_soak_plan_fini(&plan);
}

static void test_soak_usage_sees_memory_and_processes(void **unused)
{
    (void)unused;
    struct cx_usage before, after;
    size_t bytes = 64 << 20;
    cx_usage_processes(&before);
    assert_true(before.own_bytes > 0 && before.memory_bytes == before.own_bytes && before.processes == 0);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memset(memory, 1, bytes);
        setpgid(0, 0);
        char byte = 1;
        if (fork() != 0) {
            (void)!write(ends[1], &byte, 1);
        }
        pause();
        _exit(0);
    }
    char byte;
    assert_int_equal(read(ends[0], &byte, 1), 1);
    cx_usage_processes(&after);
    assert_int_equal(after.processes, 2);
    assert_true(after.memory_bytes >= before.memory_bytes + bytes);
    assert_int_equal(after.files, before.files + 2);
    kill(-child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ends[0]);
    close(ends[1]);
}

static void test_soak_caps_say_which_and_how(void **unused)
{
    (void)unused;
    char line[300];
    const struct cx_usage usage = {.memory_bytes = 5 << 20, .processes = 7, .disk_bytes = 9 << 20};
    assert_int_equal(cx_caps_passed(&(struct cx_caps){0}, &usage, line, sizeof(line)), 0);
    assert_int_equal(cx_caps_passed(&(struct cx_caps){5 << 20, 7, 9 << 20}, &usage, line, sizeof(line)), 0);
    assert_int_equal(cx_caps_passed(&(struct cx_caps){4 << 20, 7, 9 << 20}, &usage, line, sizeof(line)), 1);
    assert_string_equal(line, "MiB of memory in use: 5, and the cap is 4 (--memory-max): stopped");
    assert_int_equal(cx_caps_passed(&(struct cx_caps){0, 6, 0}, &usage, line, sizeof(line)), 1);
    assert_string_equal(line, "processes at once: 7, and the cap is 6 (--processes-max): stopped");
    assert_int_equal(cx_caps_passed(&(struct cx_caps){0, 0, 8 << 20}, &usage, line, sizeof(line)), 1);
    assert_string_equal(line, "MiB in the folder: 9, and the cap is 8 (--disk-max): stopped");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_soak_plan_is_a_function_of_seed_and_results),
        cmocka_unit_test(test_soak_plan_follows_the_yield_and_has_a_floor),
        cmocka_unit_test(test_soak_plan_counts_cost),
        cmocka_unit_test(test_soak_usage_sees_memory_and_processes),
        cmocka_unit_test(test_soak_caps_say_which_and_how),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
