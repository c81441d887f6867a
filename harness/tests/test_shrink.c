// SPDX-License-Identifier: Apache-2.0
//
// test_shrink: the search alone, with trials played by a rule instead of a runner.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "harness/trace/schedule.h"
#include "harness/trace/shrink.h"

// The finding shows when all of `needed` are in the plan, by their point; `noise` deviations appear by themselves.
struct rule {
    uint64_t needed[4];
    size_t needed_count;
    uint32_t needed_choice; // 0: any
    uint64_t plays;
    uint64_t stop_at; // 0: never; else the play that an interrupt hits
};

static int plan_has(const struct cx_deviation *plan, size_t count, uint64_t point, uint32_t choice)
{
    for (size_t i = 0; i < count; i++) {
        if (plan[i].point == point && (choice == 0 || plan[i].choice == choice)) {
            return 1;
        }
    }
    return 0;
}

static enum cx_status rule_play(void *context, const struct cx_deviation *plan, size_t plan_count, int *same,
                                struct cx_shrink_list *normalised, struct cx_error *error)
{
    struct rule *rule = context;
    if (++rule->plays == rule->stop_at) {
        return cx_error_set(error, CX_ERR_INTERRUPTED, "interrupted");
    }
    *same = 1;
    for (size_t i = 0; i < rule->needed_count; i++) {
        *same &= plan_has(plan, plan_count, rule->needed[i], rule->needed_choice);
    }
    if (*same) {
        normalised->list = malloc((plan_count + 1) * sizeof(*plan));
        assert_non_null(normalised->list);
        memcpy(normalised->list, plan, plan_count * sizeof(*plan));
        normalised->count = plan_count;
    }
    return CX_OK;
}

static void progress_ignore(void *context, const struct cx_shrink *shrink)
{
    (void)context;
    (void)shrink;
}

static void start_fill(struct cx_shrink_list *list, size_t count)
{
    list->list = calloc(count + 1, sizeof(*list->list));
    assert_non_null(list->list);
    list->count = count;
    for (size_t i = 0; i < count; i++) {
        list->list[i].point = i;
        list->list[i].choice = 7;
        list->list[i].preemption = 1;
    }
}

static void test_shrink_keeps_exactly_what_is_needed(void **state)
{
    (void)state;
    struct rule rule = {.needed = {3, 500, 999}, .needed_count = 3};
    struct cx_shrink shrink = {.context = &rule, .play = rule_play, .progress = progress_ignore, .trials_max = 5000};
    start_fill(&shrink.best, 1000);
    assert_int_equal(cx_shrink_run(&shrink, NULL), CX_OK);
    assert_int_equal(shrink.best.count, 3);
    assert_int_equal(shrink.best.list[1].point, 500);
    assert_true(shrink.trials < 300); // of 2^1000 subsets
    cx_shrink_list_fini(&shrink.best);
}

static void test_shrink_ends_at_once_when_nothing_is_needed(void **state)
{
    (void)state;
    struct rule rule = {.needed_count = 0};
    struct cx_shrink shrink = {.context = &rule, .play = rule_play, .progress = progress_ignore, .trials_max = 5000};
    start_fill(&shrink.best, 64);
    assert_int_equal(cx_shrink_run(&shrink, NULL), CX_OK);
    assert_int_equal(shrink.best.count, 0);
    assert_int_equal(shrink.trials, 1);
    cx_shrink_list_fini(&shrink.best);
}

static void test_shrink_gives_up_when_nothing_can_go(void **state)
{
    (void)state;
    struct rule rule = {.needed = {0, 1, 2, 3}, .needed_count = 4};
    struct cx_shrink shrink = {.context = &rule, .play = rule_play, .progress = progress_ignore, .trials_max = 5000};
    start_fill(&shrink.best, 4);
    assert_int_equal(cx_shrink_run(&shrink, NULL), CX_OK);
    assert_int_equal(shrink.best.count, 4);
    assert_true(shrink.trials < 100);
    cx_shrink_list_fini(&shrink.best);
}

static void test_shrink_stops_at_its_bound_and_at_interrupts(void **state)
{
    (void)state;
    struct rule rule = {.needed = {3, 50}, .needed_count = 2, .stop_at = 6};
    struct cx_shrink shrink = {.context = &rule, .play = rule_play, .progress = progress_ignore, .trials_max = 5000};
    start_fill(&shrink.best, 100);
    assert_int_equal(cx_shrink_run(&shrink, NULL), CX_ERR_INTERRUPTED);
    assert_true(shrink.best.count < 100 && plan_has(shrink.best.list, shrink.best.count, 50, 0));
    rule.stop_at = 0;
    shrink.trials_max = shrink.trials + 2;
    assert_int_equal(cx_shrink_run(&shrink, NULL), CX_OK);
    assert_true(shrink.trials <= shrink.trials_max);
    cx_shrink_list_fini(&shrink.best);
}

// The finding needs all eight preemptions as they are named, or two: the last one, and thread 7 stopped where it stood
// at the end of the long run, which is its point 77 in the short one.
static enum cx_status place_play(void *context, const struct cx_deviation *plan, size_t plan_count, int *same,
                                 struct cx_shrink_list *normalised, struct cx_error *error)
{
    struct rule all = {.needed_count = 0};
    (void)context;
    *same = plan_count == 8 || (plan_count == 2 && plan[0].point == 7 && plan[1].thread == 7 && plan[1].point == 77);
    return *same ? rule_play(&all, plan, plan_count, same, normalised, error) : CX_OK;
}

static enum cx_status place_log(void *context, const struct cx_deviation *plan, size_t plan_count,
                                struct cx_step **steps, size_t *steps_count, struct cx_error *error)
{
    (void)context;
    (void)plan;
    (void)error;
    uint64_t points = plan_count == 8 ? 500 : 80;
    *steps = calloc(points, sizeof(**steps));
    assert_non_null(*steps);
    *steps_count = points;
    for (uint64_t i = 0; i < points; i++) {
        (*steps)[i].point = i + 1;
        (*steps)[i].thread = 7;
        (*steps)[i].op = CX_OP_LOAD;
        (*steps)[i].caller = i == 76 || i == 499 ? 42 : 1000 + i;
    }
    return CX_OK;
}

static void test_shrink_finds_places_in_shorter_runs(void **state)
{
    (void)state;
    struct cx_shrink shrink = {.play = place_play, .log = place_log, .progress = progress_ignore, .trials_max = 5000};
    start_fill(&shrink.best, 8);
    assert_int_equal(cx_shrink_run(&shrink, NULL), CX_OK);
    assert_int_equal(shrink.best.count, 2);
    assert_int_equal(shrink.best.list[1].point, 77);
    cx_shrink_list_fini(&shrink.best);
}

// Thread 9's entries make the finding go away unless all of them are there, or none: as those of one that has a lock.
static enum cx_status whole_thread_play(void *context, const struct cx_deviation *plan, size_t plan_count, int *same,
                                        struct cx_shrink_list *normalised, struct cx_error *error)
{
    struct rule all = {.needed_count = 0};
    const size_t *wanted = context;
    size_t found = 0;
    for (size_t i = 0; i < plan_count; i++) {
        found += plan[i].thread == 9 || plan[i].choice == 9;
    }
    *same = plan_has(plan, plan_count, 31, 0) && (found == 0 || found == *wanted);
    return *same ? rule_play(&all, plan, plan_count, same, normalised, error) : CX_OK;
}

static void test_shrink_removes_a_thread_at_once(void **state)
{
    (void)state;
    const uint32_t threads[] = {7, 8, 9};
    size_t wanted = 0;
    struct cx_shrink shrink = {.context = &wanted,
                               .play = whole_thread_play,
                               .progress = progress_ignore,
                               .threads = threads,
                               .threads_count = 3,
                               .trials_max = 5000};
    start_fill(&shrink.best, 60);
    for (size_t i = 0; i < 60; i += 2) {
        *(i % 4 == 0 ? &shrink.best.list[i].thread : &shrink.best.list[i].choice) = 9;
        wanted++;
    }
    assert_int_equal(cx_shrink_run(&shrink, NULL), CX_OK);
    assert_int_equal(shrink.best.count, 1);
    assert_int_equal(shrink.best.list[0].point, 31);
    cx_shrink_list_fini(&shrink.best);
}

static void test_shrink_prefers_fewer_preemptions_to_fewer_deviations(void **state)
{
    (void)state;
    struct cx_deviation one[1] = {{.preemption = 1}};
    struct cx_deviation three[3] = {{.preemption = 0}};
    struct cx_shrink_list left = {three, 3}, right = {one, 1};
    assert_true(cx_shrink_smaller(&left, &right));
    assert_false(cx_shrink_smaller(&right, &left));
    assert_false(cx_shrink_smaller(&left, &left));
}

// A program of numbers: main takes 10 steps for each number that it has, each at a place of its own, then 50 more. The
// finding shows when main has the number 21 and is stopped at the 25th of those 50, wherever that is then.
#define OPERATIONS 40
#define OPERATION_STEPS 10
#define NEEDED_NUMBER 21
#define NEEDED_PLACE 25

static uint64_t program_steps(const struct cx_deviation *plan, size_t plan_count)
{
    uint64_t numbers = 0;
    for (size_t i = 0; i < plan_count; i++) {
        numbers += plan[i].kind == CX_DEVIATION_PICK;
    }
    return numbers * OPERATION_STEPS;
}

static enum cx_status program_play(void *context, const struct cx_deviation *plan, size_t plan_count, int *same,
                                   struct cx_shrink_list *normalised, struct cx_error *error)
{
    const uint64_t wanted = program_steps(plan, plan_count) + NEEDED_PLACE;
    struct rule all = {.needed_count = 0};
    int has_number = 0, has_switch = 0;
    (void)context;
    for (size_t i = 0; i < plan_count; i++) {
        has_number |= plan[i].kind == CX_DEVIATION_PICK && plan[i].point == NEEDED_NUMBER;
        has_switch |= plan[i].kind == CX_DEVIATION_SWITCH && plan[i].point == wanted;
    }
    *same = has_number && has_switch;
    return *same ? rule_play(&all, plan, plan_count, same, normalised, error) : CX_OK;
}

static enum cx_status program_log(void *context, const struct cx_deviation *plan, size_t plan_count,
                                  struct cx_step **steps, size_t *steps_count, struct cx_error *error)
{
    (void)context;
    (void)error;
    *steps = calloc(program_steps(plan, plan_count) + 50, sizeof(**steps));
    assert_non_null(*steps);
    *steps_count = 0;
    for (size_t i = 0; i < plan_count; i++) {
        for (uint64_t k = 0; plan[i].kind == CX_DEVIATION_PICK && k < OPERATION_STEPS; k++) {
            (*steps)[(*steps_count)++].caller = 1000 * plan[i].point + k;
        }
    }
    for (uint64_t k = 1; k <= 50; k++) {
        (*steps)[(*steps_count)++].caller = k;
    }
    for (size_t i = 0; i < *steps_count; i++) {
        (*steps)[i].thread = CX_THREAD_KEY_MAIN;
        (*steps)[i].point = i + 1;
    }
    return CX_OK;
}

static void test_shrink_takes_numbers_first_and_moves_the_switches(void **state)
{
    (void)state;
    struct cx_shrink shrink = {
        .play = program_play, .log = program_log, .progress = progress_ignore, .trials_max = 5000};
    start_fill(&shrink.best, OPERATIONS + 1);
    for (uint64_t i = 0; i < OPERATIONS; i++) {
        shrink.best.list[i] =
            (struct cx_deviation){.point = i + 1, .thread = CX_THREAD_KEY_MAIN, .choice = 3, .kind = CX_DEVIATION_PICK};
    }
    shrink.best.list[OPERATIONS] = (struct cx_deviation){.point = OPERATIONS * OPERATION_STEPS + NEEDED_PLACE,
                                                         .thread = CX_THREAD_KEY_MAIN,
                                                         .choice = 7,
                                                         .preemption = 1};
    assert_int_equal(cx_shrink_run(&shrink, NULL), CX_OK);
    assert_int_equal(shrink.best.count, 2);
    assert_int_equal(cx_shrink_numbers(&shrink.best), 1);
    assert_int_equal(shrink.best.list[0].point, NEEDED_NUMBER);
    assert_int_equal(shrink.best.list[1].point, OPERATION_STEPS + NEEDED_PLACE);
    cx_shrink_list_fini(&shrink.best);
}

// Of the schedules that are drawn, one in five shows the finding.
static enum cx_status lucky_sample(void *context, uint64_t number, const struct cx_shrink_list *plan, int *same,
                                   struct cx_shrink_list *normalised, struct cx_error *error)
{
    struct rule all = {.needed_count = 0};
    (void)context;
    *same = number % 5 == 4;
    return *same ? rule_play(&all, plan->list, plan->count, same, normalised, error) : CX_OK;
}

static enum cx_status never_play(void *context, const struct cx_deviation *plan, size_t plan_count, int *same,
                                 struct cx_shrink_list *normalised, struct cx_error *error)
{
    (void)context;
    (void)plan;
    (void)plan_count;
    (void)normalised;
    (void)error;
    *same = 0;
    return CX_OK;
}

static void test_shrink_draws_new_schedules_for_fewer_numbers(void **state)
{
    (void)state;
    struct cx_shrink shrink = {
        .play = never_play, .sample = lucky_sample, .progress = progress_ignore, .trials_max = 5000};
    start_fill(&shrink.best, 6);
    for (uint64_t i = 0; i < 5; i++) {
        shrink.best.list[i] =
            (struct cx_deviation){.point = i + 1, .thread = CX_THREAD_KEY_MAIN, .choice = 3, .kind = CX_DEVIATION_PICK};
    }
    assert_int_equal(cx_shrink_run(&shrink, NULL), CX_OK);
    assert_int_equal(cx_shrink_numbers(&shrink.best), 0);
    cx_shrink_list_fini(&shrink.best);
}

static void test_shrink_aligns_switches_with_their_places(void **state)
{
    (void)state;
    // 60 places; in the other run 6 to 9 are gone, and three more come before 40.
    struct cx_step from[60], to[59];
    struct cx_shrink_log left = {from, 60}, right = {to, 0};
    memset(from, 0, sizeof(from));
    memset(to, 0, sizeof(to));
    for (uint64_t i = 0; i < 60; i++) {
        from[i] = (struct cx_step){.thread = 5, .point = i + 1, .caller = i};
        for (uint64_t k = 0; i == 40 && k < 3; k++) {
            to[right.count] = (struct cx_step){.thread = 5, .point = right.count + 1, .caller = 100 + k};
            right.count++;
        }
        if (i < 6 || i > 9) {
            to[right.count] = (struct cx_step){.thread = 5, .point = right.count + 1, .caller = i};
            right.count++;
        }
    }
    struct cx_deviation plan[4] = {
        {.thread = 5, .point = 3}, {.thread = 5, .point = 8}, {.thread = 5, .point = 25}, {.thread = 5, .point = 50}};
    size_t count = 4;
    assert_int_equal(cx_shrink__align(&left, &right, plan, &count, NULL), CX_OK);
    assert_int_equal(count, 3); // the second was in what is gone
    assert_int_equal(plan[0].point, 3);
    assert_int_equal(plan[1].point, 21);
    assert_int_equal(plan[2].point, 49);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shrink_keeps_exactly_what_is_needed),
        cmocka_unit_test(test_shrink_ends_at_once_when_nothing_is_needed),
        cmocka_unit_test(test_shrink_gives_up_when_nothing_can_go),
        cmocka_unit_test(test_shrink_stops_at_its_bound_and_at_interrupts),
        cmocka_unit_test(test_shrink_finds_places_in_shorter_runs),
        cmocka_unit_test(test_shrink_removes_a_thread_at_once),
        cmocka_unit_test(test_shrink_takes_numbers_first_and_moves_the_switches),
        cmocka_unit_test(test_shrink_draws_new_schedules_for_fewer_numbers),
        cmocka_unit_test(test_shrink_aligns_switches_with_their_places),
        cmocka_unit_test(test_shrink_prefers_fewer_preemptions_to_fewer_deviations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
