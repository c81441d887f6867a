// SPDX-License-Identifier: Apache-2.0
//
// Segments: a run goes on in another way after so many hand-offs, all that is before stays as it was, and the whole
// replays. Pairs: each is counted once, in whatever run it comes.
#include "harness/tests/sched_case.h"

#include <sched.h>
#include <string.h>

#include "harness/sched/sched.h"

#define KEPT 12 // hand-offs
#define SEEDS 40

static uint64_t words[3];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *work(void *argument)
{
    for (uintptr_t i = 0; i < 12; i++) {
        pthread_mutex_lock(&mutex);
        words[0]++;
        pthread_mutex_unlock(&mutex);
        __atomic_fetch_add(&words[1 + i % 2], (uintptr_t)argument, __ATOMIC_SEQ_CST);
        sched_yield();
    }
    return NULL;
}

static void three_threads(void)
{
    pthread_t threads[3];
    for (uintptr_t i = 0; i < 3; i++) {
        threads[i] = sched_spawn(work, (void *)(i + 1));
    }
    for (int i = 0; i < 3; i++) {
        sched_join(threads[i]);
    }
}

static struct cx_result run_with(struct cx_segment segment, uint32_t count)
{
    struct cx_request request = {.strategy = CX_STRATEGY_RANDOM, .seed = 5, .mode = CX_MODE_EXPLAIN};
    request.choices_expected = 200;
    request.segments.count = count;
    request.segments.list[0] = segment;
    assert_int_equal(sched_run(three_threads, &request)->outcome, CX_OUTCOME_PASS);
    return sched_channel()->result;
}

// How many hand-offs two runs have in common at their beginning.
static uint32_t common(const struct cx_result *left, const struct cx_result *right)
{
    uint32_t at = 0;
    while (at < left->events_count && at < right->events_count && left->events[at].from == right->events[at].from &&
           left->events[at].to == right->events[at].to && left->events[at].step == right->events[at].step) {
        at++;
    }
    return at;
}

static void goes_on_from(uint16_t strategy, uint16_t rate)
{
    static struct cx_result parent, child; // large
    uint32_t exact = 0;
    uint64_t switches = 0;
    parent = run_with((struct cx_segment){0}, 0);
    assert_true(parent.events_count > 2 * KEPT);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct cx_segment segment = {.after = KEPT, .seed = seed, .strategy = strategy, .rate = rate};
        child = run_with(segment, 1);
        uint32_t kept = common(&parent, &child);
        assert_in_range(kept, KEPT, parent.events_count - 1);
        exact += kept == KEPT;
        switches += child.switches;
        assert_int_equal(run_with(segment, 1).fingerprint, child.fingerprint);
        assert_int_equal(sched_replay(three_threads, 0)->outcome, CX_OUTCOME_PASS);
        assert_int_equal(sched_channel()->result.fingerprint, child.fingerprint);
    }
    assert_true(exact > SEEDS / 3); // the next one is another one, too, if it was not by chance the same
    assert_true(switches > (uint64_t)SEEDS * KEPT);
}

static void test_what_is_before_a_segment_stays(void **state)
{
    (void)state;
    goes_on_from(CX_STRATEGY_POS, 0);
    goes_on_from(CX_STRATEGY_RANDOM, 0);
    goes_on_from(CX_STRATEGY_RANDOM, 8);
}

// A segment at the beginning is a strategy: a rate says how many preemptions there are.
static void test_a_rate_is_that_of_the_run(void **state)
{
    (void)state;
    uint64_t preemptions[2] = {0};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        for (uint16_t dense = 0; dense < 2; dense++) {
            struct cx_segment segment = {.seed = seed, .strategy = CX_STRATEGY_RANDOM, .rate = dense ? 6 : 1};
            preemptions[dense] += run_with(segment, 1).preemptions;
        }
    }
    assert_in_range(preemptions[0], SEEDS / 4, SEEDS * 3); // one in a run of 200 choices
    assert_true(preemptions[1] > 10 * preemptions[0]);
}

static void test_an_unknown_strategy_is_refused(void **state)
{
    (void)state;
    struct cx_request request = {.strategy = CX_STRATEGY_RANDOM, .seed = 5};
    request.segments.count = 1;
    request.segments.list[0].strategy = CX_STRATEGY_FEEDBACK;
    assert_int_equal(sched_run(three_threads, &request)->outcome, CX_OUTCOME_ERROR);
}

static void test_pairs_are_counted_once(void **state)
{
    (void)state;
    struct cx_pairs *pairs = &sched_channel()->pairs;
    struct cx_request request = {.strategy = CX_STRATEGY_RANDOM, .seed = 1, .choices_expected = 200, .pairs = 1};
    memset(pairs, 0, sizeof(*pairs));
    uint32_t counted = 0, with_news = 0;
    for (; request.seed <= SEEDS; request.seed++) {
        const struct cx_result *result = sched_run(three_threads, &request);
        assert_int_equal(pairs->count, counted + pairs->fresh);
        assert_in_range(pairs->fresh_at, pairs->fresh > 0, result->switches);
        counted = pairs->count;
        with_news += pairs->fresh > 0;
        uint64_t switches = result->switches;
        assert_true(sched_run(three_threads, &request)->switches == switches);
        assert_int_equal(pairs->count, counted);
        assert_int_equal(pairs->fresh, 0);
        assert_int_equal(pairs->fresh_at, 0);
    }
    assert_in_range(with_news, 3, SEEDS);
    assert_int_equal(pairs->lost, 0);
    request.pairs = 0;
    request.seed = SEEDS + 1;
    sched_run(three_threads, &request);
    assert_int_equal(pairs->count, counted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_before_a_segment_stays),
        cmocka_unit_test(test_a_rate_is_that_of_the_run),
        cmocka_unit_test(test_an_unknown_strategy_is_refused),
        cmocka_unit_test(test_pairs_are_counted_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
