// SPDX-License-Identifier: Apache-2.0
//
// test_sanitize: whatever a dying child left in the channel, every count fits and every text ends.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "harness/exec/sanitize.h"

static void test_sanitize_bounds_every_count_of_garbage(void **state)
{
    (void)state;
    struct cx_result *result = malloc(sizeof(*result));
    assert_non_null(result);
    memset(result, 0xff, sizeof(*result));
    cx_sanitize_result(result);
    assert_int_equal(result->outcome, CX_OUTCOME_ERROR);
    assert_int_equal(result->reports_count, CX_THREADS_REPORT_MAX);
    assert_int_equal(result->races_count, CX_RACES_MAX);
    assert_int_equal(result->events_count, CX_EVENTS_MAX);
    assert_int_equal(result->deviations_count, CX_DEVIATIONS_MAX);
    assert_int_equal(result->stack.count, CX_FRAMES_MAX);
    assert_int_equal(result->cycle_count, sizeof(result->cycle) / sizeof(result->cycle[0]));
    assert_true(strlen(result->message) < sizeof(result->message));
    for (uint32_t i = 0; i < CX_THREADS_REPORT_MAX; i++) {
        assert_true(result->threads[i].stack.count <= CX_FRAMES_MAX);
        assert_true(strlen(result->threads[i].path) < sizeof(result->threads[i].path));
    }
    for (uint32_t i = 0; i < CX_RACES_MAX; i++) {
        assert_true(result->races[i].accesses_count <= 2);
    }
    free(result);
}

static void test_sanitize_makes_texts_one_line(void **state)
{
    (void)state;
    struct cx_result *result = calloc(1, sizeof(*result));
    assert_non_null(result);
    snprintf(result->message, sizeof(result->message), "two\nlines\tand a tab");
    cx_sanitize_result(result);
    assert_string_equal(result->message, "two lines and a tab");
    free(result);
}

// What a run with more events than there is room for has left, from the runner's point of view.
static void test_sanitize_puts_the_last_events_in_order_once(void **state)
{
    (void)state;
    struct cx_result *result = calloc(1, sizeof(*result));
    assert_non_null(result);
    const uint32_t more = 7;
    result->events_count = CX_EVENTS_MAX;
    result->events_dropped = result->events_turn = more;
    result->locks_count = CX_LOCKS_MAX;
    result->locks_dropped = result->locks_turn = more;
    for (uint32_t i = 0; i < CX_EVENTS_MAX + more; i++) {
        result->events[i < CX_EVENTS_MAX ? i : CX_EVENTS_FIRST + i - CX_EVENTS_MAX].step = i;
    }
    for (uint32_t i = 0; i < CX_LOCKS_MAX + more; i++) {
        result->locks[i < CX_LOCKS_MAX ? i : CX_LOCKS_FIRST + i - CX_LOCKS_MAX].step = i;
    }
    for (int times = 0; times < 2; times++) {
        cx_sanitize_result(result);
        for (uint32_t i = 0; i < CX_EVENTS_MAX; i++) {
            assert_int_equal(result->events[i].step, i < CX_EVENTS_FIRST ? i : i + more);
        }
        for (uint32_t i = 0; i < CX_LOCKS_MAX; i++) {
            assert_int_equal(result->locks[i].step, i < CX_LOCKS_FIRST ? i : i + more);
        }
    }
    free(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sanitize_bounds_every_count_of_garbage),
        cmocka_unit_test(test_sanitize_makes_texts_one_line),
        cmocka_unit_test(test_sanitize_puts_the_last_events_in_order_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
