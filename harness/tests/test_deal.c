// SPDX-License-Identifier: Apache-2.0
//
// What the dealer promises: a run depends on generations before its own and on nothing else, and who pays gets more.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/exec/deal.h"
#include "harness/exec/portfolio.h"

#define GENERATION 64

static struct cx_deviation plan[64];

static struct cx_request request_of(const struct cx_deal *deal, uint64_t number)
{
    struct cx_request request = {0};
    memset(plan, 0, sizeof(plan));
    cx_deal_request(deal, number, 1000 + number, &request, plan);
    return request;
}

// A dealer that has seen a default run of two threads, four operations on one object each.
static struct cx_deal *learned(uint32_t strategy)
{
    const struct cx_deal_options options = {.strategy = strategy, .pct_depth = 3, .preemptions_max = 2, .seed = 5};
    struct cx_deal *deal = cx_deal_new(&options);
    assert_non_null(deal);
    assert_true(cx_deal_ready(deal, 0));
    assert_false(cx_deal_ready(deal, 1));
    assert_int_equal(request_of(deal, 0).mode, CX_MODE_TRACE);
    static struct cx_choice trace[10];
    memset(trace, 0, sizeof(trace));
    trace[0].op = CX_OP_THREAD_CREATE;
    for (uint32_t i = 1; i < 9; i++) {
        trace[i] = (struct cx_choice){.object = 64, .point = i, .thread = i > 4, .next = i > 4, .op = CX_OP_RMW};
    }
    struct cx_record record = {.choices = 30, .trace = trace, .trace_count = 9, .trace_threads_count = 2};
    record.trace_threads[0].key = CX_THREAD_KEY_MAIN;
    record.trace_threads[1].key = cx_thread_key(CX_THREAD_KEY_MAIN, 1);
    cx_deal_judge(deal, 0, &record, 0);
    return deal;
}

// Judge one generation; every run of `paid` reaches something new.
static void generation(struct cx_deal *deal, uint64_t first, uint32_t paid)
{
    for (uint64_t number = first; number < first + GENERATION; number++) {
        struct cx_request request = request_of(deal, number);
        struct cx_record record = {.choices = 30, .steps = 100, .strategy = request.strategy, .seed = request.seed};
        record.dealt = cx_deal_strategy(deal, number);
        if (record.dealt == paid) {
            record.coverage[number / 64 % CX_COVERAGE_HANDOFF_WORDS] = 1ULL << (number % 64);
        }
        cx_deal_judge(deal, number, &record, 0);
    }
}

static void test_generations_wait_for_each_other(void **state)
{
    (void)state;
    struct cx_deal *deal = learned(CX_STRATEGY_PORTFOLIO);
    assert_true(cx_deal_ready(deal, 1) && cx_deal_ready(deal, GENERATION));
    assert_false(cx_deal_ready(deal, GENERATION + 1));
    generation(deal, 1, CX_STRATEGY_PCT);
    assert_true(cx_deal_ready(deal, GENERATION + 1));
    cx_deal_free(deal);
    deal = learned(CX_STRATEGY_POS);
    assert_true(cx_deal_ready(deal, 100000));
    cx_deal_free(deal);
}

static void test_a_request_is_the_same_each_time(void **state)
{
    (void)state;
    static const uint32_t strategies[] = {CX_STRATEGY_PORTFOLIO, CX_STRATEGY_FEEDBACK, CX_STRATEGY_SURW};
    for (uint32_t i = 0; i < 3; i++) {
        struct cx_deal *deal = learned(strategies[i]);
        for (uint64_t number = 1; number <= GENERATION; number++) {
            struct cx_request first = request_of(deal, number);
            request_of(deal, GENERATION + 1 - number);
            struct cx_request again = request_of(deal, number);
            assert_memory_equal(&first, &again, sizeof(first));
        }
        cx_deal_free(deal);
    }
}

static void test_profiles_count_descendants(void **state)
{
    (void)state;
    struct cx_deal *deal = learned(CX_STRATEGY_URW);
    struct cx_request request = request_of(deal, 1);
    assert_int_equal(request.profile_count, 2);
    assert_int_equal(request.profile[0].events, 8);
    assert_int_equal(request.profile[1].events, 4);
    cx_deal_free(deal);
    deal = learned(CX_STRATEGY_SURW);
    request = request_of(deal, 1);
    assert_int_equal(request.focus[0], 64);
    assert_int_equal(request.focus[1], 0);
    cx_deal_free(deal);
}

static uint32_t dealt_to(const struct cx_deal *deal, uint64_t first, uint32_t strategy)
{
    uint32_t count = 0;
    for (uint64_t number = first; number < first + GENERATION; number++) {
        count += cx_deal_strategy(deal, number) == strategy;
    }
    return count;
}

static void test_what_pays_gets_more(void **state)
{
    (void)state;
    struct cx_deal *deal = learned(CX_STRATEGY_PORTFOLIO);
    uint32_t before = dealt_to(deal, 2 * GENERATION + 1, CX_STRATEGY_PCT);
    for (uint64_t i = 0; i < 8; i++) {
        generation(deal, i * GENERATION + 1, CX_STRATEGY_PCT);
    }
    assert_true(dealt_to(deal, 8 * GENERATION + 1, CX_STRATEGY_PCT) > 2 * before);
    assert_true(dealt_to(deal, 8 * GENERATION + 1, CX_STRATEGY_DELAY) > 0);
    cx_deal_free(deal);
}

static struct cx_aim *aim_at(uint64_t pc, const char *function)
{
    struct cx_aim *aim = calloc(1, sizeof(*aim));
    assert_non_null(aim);
    aim->race.pcs[0] = aim->race.pcs[1] = pc;
    aim->points.level = CX_POINTS_ACCESS;
    aim->points.code_count = 1;
    aim->points.ranges[0] = (struct cx_range){pc - 8, pc + 8};
    cx_names_add(&aim->words, function);
    return aim;
}

// A race that is reported in one generation directs runs of the next ones: with the points of all races so far, at one
// of them, in both orders.
static void test_races_direct_runs(void **state)
{
    (void)state;
    struct cx_error error;
    struct cx_deal *deal = learned(CX_STRATEGY_PORTFOLIO);
    generation(deal, 1, CX_STRATEGY_PCT);
    assert_true(cx_deal_wants_aims(deal));
    assert_int_equal(cx_deal_aim(deal, aim_at(0x1000, "function:reader"), &error), CX_OK);
    assert_int_equal(cx_deal_aim(deal, aim_at(0x2000, "function:writer"), &error), CX_OK);
    assert_int_equal(dealt_to(deal, GENERATION + 1, CX_STRATEGY_RACE), 0);
    generation(deal, GENERATION + 1, CX_STRATEGY_PCT);
    uint32_t seen[2][2] = {{0}};
    for (uint64_t number = 2 * GENERATION + 1; number <= 4 * GENERATION; number++) {
        struct cx_request request = request_of(deal, number);
        const struct cx_aim *aim = cx_deal_aim_of(deal, number);
        assert_int_equal(aim != NULL, request.strategy == CX_STRATEGY_RACE);
        assert_int_equal(request.points.code_count, aim != NULL ? 2 : 0);
        if (aim != NULL) {
            assert_int_equal(aim->words.count, 2);
            seen[request.race.pcs[0] == 0x2000][request.race.first]++;
        }
    }
    assert_true(seen[0][0] > 0 && seen[0][1] > 0 && seen[1][0] > 0 && seen[1][1] > 0);
    cx_deal_free(deal);
    deal = learned(CX_STRATEGY_FEEDBACK);
    assert_false(cx_deal_wants_aims(deal));
    cx_deal_free(deal);
}

// Most threads end early, so that runs have fewer choices than the one in the default order. Runs of pct with own stops
// are to reach all of it.
static void test_own_stops_reach_the_whole_run(void **state)
{
    (void)state;
    struct cx_deal *deal = learned(CX_STRATEGY_PORTFOLIO);
    for (uint64_t number = 1; number <= GENERATION; number++) {
        const struct cx_record record = {.choices = 10, .steps = 100, .points_max = 4};
        assert_int_equal(request_of(deal, number).points_expected, 0);
        cx_deal_judge(deal, number, &record, 0);
    }
    uint32_t own = 0;
    uint32_t pct = 0;
    for (uint64_t number = GENERATION + 1; number <= 2 * GENERATION; number++) {
        struct cx_request request = request_of(deal, number);
        int stops = request.strategy == CX_STRATEGY_PCT && request.points_expected > 0;
        pct += request.strategy == CX_STRATEGY_PCT;
        own += (uint32_t)stops;
        assert_int_equal(request.choices_expected, stops ? 30 : 20); // 20: half way from 30 to 10
        assert_true(request.points_expected == 0 || request.points_expected == 5);
    }
    assert_in_range(own, 1, pct);
    cx_deal_free(deal);
}

// The longest thread of a run but main, where one run in five has a thread that waits in a loop.
static void test_lengths_are_those_of_most_runs(void **state)
{
    (void)state;
    struct cx_deal *deal = learned(CX_STRATEGY_PORTFOLIO);
    for (uint64_t number = 1; number <= GENERATION; number++) {
        const struct cx_record record = {.choices = 10, .steps = 100, .points_max = number % 5 == 0 ? 100000 : 40};
        cx_deal_judge(deal, number, &record, 0);
    }
    uint32_t told = 0;
    for (uint64_t number = GENERATION + 1; number <= 2 * GENERATION; number++) {
        uint64_t points = request_of(deal, number).points_expected;
        assert_true(points == 0 || points == 50);
        told += points > 0;
    }
    assert_true(told > GENERATION / 2);
    cx_deal_free(deal);
}

// Runs that are directed at races are a kind of their own, with more points, as soon as there are some of them.
static void test_lengths_of_directed_runs_are_their_own(void **state)
{
    (void)state;
    struct cx_error error;
    struct cx_deal *deal = learned(CX_STRATEGY_PORTFOLIO);
    assert_int_equal(cx_deal_aim(deal, aim_at(0x1000, "function:reader"), &error), CX_OK);
    uint32_t unchanged = 0;
    uint32_t runs = 0;
    for (uint64_t number = 1; number <= 6 * GENERATION; number++) {
        struct cx_record record = {.choices = 10, .steps = 100, .dealt = cx_deal_strategy(deal, number)};
        struct cx_request request = request_of(deal, number);
        uint64_t points = request.points_expected;
        int directed = record.dealt == CX_STRATEGY_RACE;
        record.points_max = directed ? 400 : 40;
        assert_true(points == 0 || points == 50 || (directed && points == 500));
        assert_false(directed && number > 5 * GENERATION && points == 50);
        // Half of them without change points.
        unchanged += directed && request.pct_depth == 1;
        runs += (uint32_t)directed;
        cx_deal_judge(deal, number, &record, 0);
    }
    assert_in_range(unchanged, runs / 4, runs * 3 / 4);
    cx_deal_free(deal);
}

// The runs before there are races find what is found easily. Directed runs begin as the best of the others.
static void test_directed_runs_begin_as_the_best(void **state)
{
    (void)state;
    struct cx_error error;
    struct cx_deal *deal = learned(CX_STRATEGY_PORTFOLIO);
    for (uint64_t number = 1; number <= 2 * GENERATION; number++) {
        uint32_t strategy = cx_deal_strategy(deal, number);
        struct cx_record record = {.choices = 30, .steps = 100, .strategy = strategy, .dealt = strategy};
        if (number == GENERATION + 1) {
            assert_int_equal(cx_deal_aim(deal, aim_at(0x1000, "function:reader"), &error), CX_OK);
        }
        cx_deal_judge(deal, number, &record, strategy == CX_STRATEGY_POS);
    }
    assert_true(dealt_to(deal, 2 * GENERATION + 1, CX_STRATEGY_SURW) < GENERATION / 8);
    assert_true(dealt_to(deal, 2 * GENERATION + 1, CX_STRATEGY_RACE) > GENERATION / 8);
    cx_deal_free(deal);
}

static void test_feedback_mutates_what_was_new(void **state)
{
    (void)state;
    struct cx_deal *deal = learned(CX_STRATEGY_FEEDBACK);
    for (uint64_t number = 1; number <= GENERATION; number++) {
        struct cx_request request = request_of(deal, number);
        assert_int_equal(request.strategy, CX_STRATEGY_POS);
        assert_int_equal(request.plan_count, 0);
    }
    generation(deal, 1, CX_STRATEGY_FEEDBACK);
    uint32_t mutants = 0;
    for (uint64_t number = GENERATION + 1; number <= 2 * GENERATION; number++) {
        struct cx_request request = request_of(deal, number);
        mutants += request.plan_count > 0;
        for (uint32_t i = 0; i < request.plan_count; i++) {
            assert_int_equal(plan[i].kind, CX_DEVIATION_PRIORITY);
        }
        if (request.plan_count > 0) {
            assert_in_range(request.seed, 1001, 1000 + GENERATION); // its parent's
        }
    }
    assert_in_range(mutants, GENERATION / 2, GENERATION - 1);
    cx_deal_free(deal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generations_wait_for_each_other),
        cmocka_unit_test(test_a_request_is_the_same_each_time),
        cmocka_unit_test(test_profiles_count_descendants),
        cmocka_unit_test(test_what_pays_gets_more),
        cmocka_unit_test(test_feedback_mutates_what_was_new),
        cmocka_unit_test(test_races_direct_runs),
        cmocka_unit_test(test_own_stops_reach_the_whole_run),
        cmocka_unit_test(test_lengths_are_those_of_most_runs),
        cmocka_unit_test(test_lengths_of_directed_runs_are_their_own),
        cmocka_unit_test(test_directed_runs_begin_as_the_best),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
