// SPDX-License-Identifier: Apache-2.0
//
// test_window: the search for the functions that matter, with runs played by a rule instead of a runner.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness/trace/window.h"

#define RUNS 20
#define FUNCTIONS 4

// Every second run shows the finding that preempts in all of `needed`; every tenth does in any case, if `lucky`.
struct rule {
    uint32_t needed;
    int lucky;
    int replays; // what a run that shows the finding does when it is played again
    uint64_t draws;
    uint64_t stop_at; // 0: never; else the draw that an interrupt hits
};

static enum cx_status rule_draw(void *context, enum cx_window_kind kind, uint32_t functions, uint64_t number, int *same,
                                struct cx_error *error)
{
    struct rule *rule = context;
    if (++rule->draws == rule->stop_at) {
        return cx_error_set(error, CX_ERR_INTERRUPTED, "interrupted");
    }
    uint32_t open = kind == CX_WINDOW_NONE ? ~0u : kind == CX_WINDOW_INSIDE ? functions : ~functions;
    *same = ((open & rule->needed) == rule->needed && number % 2 == 0) || (rule->lucky && number % 10 == 1);
    return CX_OK;
}

static enum cx_status rule_confirm(void *context, int *same, struct cx_error *error)
{
    (void)error;
    *same = ((struct rule *)context)->replays;
    return CX_OK;
}

static void progress_ignore(void *context, const struct cx_window_search *search)
{
    (void)context;
    (void)search;
}

static struct cx_window_search search_of(struct rule *rule, uint64_t trials_max)
{
    return (struct cx_window_search){.context = rule,
                                     .draw = rule_draw,
                                     .confirm = rule_confirm,
                                     .progress = progress_ignore,
                                     .functions_count = FUNCTIONS,
                                     .runs = RUNS,
                                     .trials_max = trials_max};
}

static void test_window_is_what_is_needed(void **state)
{
    (void)state;
    for (uint32_t needed = 0; needed < 1u << FUNCTIONS; needed++) {
        struct rule rule = {.needed = needed, .replays = 1};
        struct cx_window_search search = search_of(&rule, 1000);
        assert_int_equal(cx_window_find(&search, NULL), CX_OK);
        assert_int_equal(search.functions, needed);
        assert_int_equal(search.inside, RUNS / 2);
        assert_int_equal(search.anywhere, RUNS / 2);
        assert_int_equal(search.outside, needed == 0 ? RUNS / 2 : 0);
        assert_int_equal(search.trials, rule.draws);
    }
}

// Two lucky runs of twenty without a function are no reason to say that it does not matter.
static void test_window_is_not_left_to_luck(void **state)
{
    (void)state;
    struct rule rule = {.needed = 5, .lucky = 1, .replays = 1};
    struct cx_window_search search = search_of(&rule, 1000);
    assert_int_equal(cx_window_find(&search, NULL), CX_OK);
    assert_int_equal(search.functions, 5);
    assert_int_equal(search.inside, RUNS / 2 + 2);
    assert_int_equal(search.outside, 2);
}

static void test_window_that_does_not_replay_is_none(void **state)
{
    (void)state;
    struct rule rule = {.needed = 5, .replays = 0};
    struct cx_window_search search = search_of(&rule, 1000);
    assert_int_equal(cx_window_find(&search, NULL), CX_OK);
    assert_int_equal(search.inside, 0);
}

static void test_window_needs_a_run_that_shows_it(void **state)
{
    (void)state;
    struct rule rule = {.needed = 1u << FUNCTIONS, .replays = 1};
    struct cx_window_search search = search_of(&rule, 1000);
    assert_int_equal(cx_window_find(&search, NULL), CX_OK);
    assert_int_equal(search.inside, 0);
    assert_int_equal(rule.draws, RUNS);
}

// With few trials the window is larger, or there is none: more are never drawn.
static void test_window_keeps_to_its_trials(void **state)
{
    (void)state;
    for (uint64_t trials_max = 0; trials_max < 15 * RUNS; trials_max++) {
        struct rule rule = {.needed = 5, .replays = 1};
        struct cx_window_search search = search_of(&rule, trials_max);
        assert_int_equal(cx_window_find(&search, NULL), CX_OK);
        assert_true(rule.draws <= trials_max);
        assert_int_equal(search.functions & 5, 5);
        assert_int_equal(search.inside, trials_max < 3 * RUNS ? 0 : RUNS / 2);
    }
}

static void test_window_is_none_when_interrupted(void **state)
{
    (void)state;
    struct rule whole = {.needed = 5, .replays = 1};
    struct cx_window_search search = search_of(&whole, 1000);
    assert_int_equal(cx_window_find(&search, NULL), CX_OK);
    for (uint64_t at = 1; at <= whole.draws; at++) {
        struct rule rule = {.needed = 5, .replays = 1, .stop_at = at};
        search = search_of(&rule, 1000);
        assert_int_equal(cx_window_find(&search, NULL), CX_ERR_INTERRUPTED);
        assert_int_equal(search.inside, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window_is_what_is_needed),
        cmocka_unit_test(test_window_is_not_left_to_luck),
        cmocka_unit_test(test_window_that_does_not_replay_is_none),
        cmocka_unit_test(test_window_needs_a_run_that_shows_it),
        cmocka_unit_test(test_window_keeps_to_its_trials),
        cmocka_unit_test(test_window_is_none_when_interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
