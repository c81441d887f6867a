// SPDX-License-Identifier: Apache-2.0
//
// Segments: a run goes on in another way after so many hand-offs, all that is before stays as it was, and the whole
// replays. Pairs: each is counted once, in whatever run it comes; strategy fresh joins those that it is not told.
// Strategy hold holds threads where it is told to.
#include "harness/tests/sched_case.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "harness/sched/sched.h"

#define KEPT 12 // hand-offs
#define SEEDS 40
#define MANY 6
#define FEW 4 // in many runs any strategy joins all that this program has

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
    goes_on_from(CX_STRATEGY_FRESH, 0);
    goes_on_from(CX_STRATEGY_HOLD, 1);
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

// One run of that segment alone, told all pairs that are in the table; `twice`: and it is the same when it is played
// again.
static const struct cx_result *told_run(uint16_t strategy, uint64_t seed, int twice)
{
    struct cx_channel *channel = sched_channel();
    struct cx_request request = {.strategy = CX_STRATEGY_RANDOM, .seed = 1, .choices_expected = 200, .pairs = 1};
    request.segments.count = 1;
    request.segments.list[0] = (struct cx_segment){.seed = seed, .strategy = strategy};
    memset(&channel->told, 0, sizeof(channel->told));
    channel->told.salt = seed;
    for (uint32_t i = 0; i < CX_PAIRS_MAX; i++) {
        if (channel->pairs.hashes[i] != 0) {
            cx_told_add(&channel->told, channel->pairs.hashes[i]);
        }
    }
    uint64_t fingerprint = sched_run(three_threads, &request)->fingerprint;
    if (twice) {
        assert_int_equal(sched_run(three_threads, &request)->fingerprint, fingerprint);
    }
    assert_int_equal(sched_channel()->result.outcome, CX_OUTCOME_PASS);
    return &sched_channel()->result;
}

static void test_fresh_joins_what_it_is_not_told(void **state)
{
    (void)state;
    struct cx_pairs *pairs = &sched_channel()->pairs;
    uint32_t reached[2] = {0};
    uint64_t switches[2] = {0};
    for (int fresh = 0; fresh < 2; fresh++) {
        memset(pairs, 0, sizeof(*pairs));
        for (uint64_t seed = 1; seed <= FEW; seed++) {
            switches[fresh] += told_run(fresh ? CX_STRATEGY_FRESH : CX_STRATEGY_RANDOM, seed, 0)->switches;
        }
        reached[fresh] = pairs->count;
    }
    assert_true(reached[1] > reached[0] + reached[0] / 2);
    assert_true(switches[1] < switches[0]);
    // What it is told matters, and that alone.
    memset(pairs, 0, sizeof(*pairs));
    uint64_t untold = told_run(CX_STRATEGY_FRESH, 7, 0)->fingerprint;
    assert_true(told_run(CX_STRATEGY_FRESH, 7, 1)->fingerprint != untold);
}

// It fails where the first word is stored to and the second is not. There are many threads that store to both: all have
// to stop in between.
static void *store_both(void *argument)
{
    (void)argument;
    __atomic_store_n(&words[1], 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&words[2], 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void stored_by_many(void)
{
    pthread_t threads[MANY];
    words[1] = words[2] = 0;
    for (int i = 0; i < MANY; i++) {
        threads[i] = sched_spawn(store_both, NULL);
    }
    if (__atomic_load_n(&words[1], __ATOMIC_SEQ_CST) == 1 && __atomic_load_n(&words[2], __ATOMIC_SEQ_CST) == 0) {
        abort();
    }
    for (int i = 0; i < MANY; i++) {
        sched_join(threads[i]);
    }
}

// In how many runs it fails.
static uint32_t failing(uint16_t strategy, uint64_t told)
{
    struct cx_channel *channel = sched_channel();
    uint32_t count = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct cx_request request = {.strategy = CX_STRATEGY_RANDOM, .seed = 1, .choices_expected = 100, .pairs = 1};
        request.segments.count = 1;
        request.segments.list[0] = (struct cx_segment){.seed = seed, .strategy = strategy};
        memset(&channel->told, 0, sizeof(channel->told));
        if (told != 0) {
            cx_told_add(&channel->told, told);
        }
        count += sched_run(stored_by_many, &request)->outcome != CX_OUTCOME_PASS;
    }
    return count;
}

static void test_hold_is_where_it_is_told(void **state)
{
    (void)state;
    struct cx_sites *sites = &sched_channel()->pairs.sites;
    uint32_t best = 0, tried = 0;
    memset(sites, 0, sizeof(*sites));
    assert_in_range(failing(CX_STRATEGY_POS, 0), 0, SEEDS / 4);
    assert_in_range(failing(CX_STRATEGY_HOLD, 0), 0, SEEDS / 4);
    for (uint32_t i = 0; i < CX_SITES_MAX; i++) {
        uint32_t before = sites->held_by[i];
        assert_int_equal(before, 0); // nobody was told
        if (sites->hashes[i] != 0) {
            uint32_t count = failing(CX_STRATEGY_HOLD, sites->hashes[i]);
            best = count > best ? count : best;
            tried++;
            assert_in_range(sites->held_by[i], count > SEEDS / 2, SEEDS); // once for each run, whatever is held
            sites->held_by[i] = 0;
        }
    }
    assert_in_range(tried, 4, 12); // two stores, two loads, a join
    assert_in_range(best, SEEDS / 3, SEEDS);
}

static void test_sites_are_those_of_the_run(void **state)
{
    (void)state;
    struct cx_sites *sites = &sched_channel()->pairs.sites;
    uint64_t passed = 0, counted = 0;
    memset(sites, 0, sizeof(*sites));
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        const struct cx_result *result = told_run(seed % 2 ? CX_STRATEGY_RANDOM : CX_STRATEGY_FRESH, seed, 0);
        assert_int_equal(sites->runs, seed);
        assert_in_range(sites->passed_count, 1, sites->count);
        for (uint32_t i = 0; i < sites->passed_count; i++) {
            assert_true(sites->hashes[sites->passed[i].site] != 0);
            assert_int_equal(sites->last_run[sites->passed[i].site], seed);
            assert_in_range(sites->passed[i].handoffs, i > 0 ? sites->passed[i - 1].handoffs : 0, result->switches);
        }
        passed += sites->passed_count;
    }
    for (uint32_t i = 0; i < CX_SITES_MAX; i++) {
        assert_in_range(sites->passed_by[i], 0, SEEDS);
        counted += sites->passed_by[i];
    }
    assert_true(counted == passed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fresh_joins_what_it_is_not_told), cmocka_unit_test(test_hold_is_where_it_is_told),
        cmocka_unit_test(test_what_is_before_a_segment_stays),  cmocka_unit_test(test_a_rate_is_that_of_the_run),
        cmocka_unit_test(test_an_unknown_strategy_is_refused),  cmocka_unit_test(test_pairs_are_counted_once),
        cmocka_unit_test(test_sites_are_those_of_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
