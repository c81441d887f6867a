// SPDX-License-Identifier: Apache-2.0
//
// What the strategies promise: a run is a function of its seed, seeds differ, and each preempts as much as it says.
#include "harness/tests/sched_case.h"

#include <semaphore.h>

#include "harness/sched/sched.h"

#define WORKERS 3

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static sem_t semaphore;
static int counter;
static int done;

static void *work(void *argument)
{
    struct timespec short_time = {0, 1000 * (long)(uintptr_t)argument};
    for (int i = 0; i < 10; i++) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
        __atomic_fetch_add(&done, 0x100, __ATOMIC_SEQ_CST);
        sem_wait(&semaphore);
        sem_post(&semaphore);
    }
    nanosleep(&short_time, NULL);
    pthread_mutex_lock(&mutex);
    done++;
    pthread_cond_broadcast(&condition);
    pthread_mutex_unlock(&mutex);
    return NULL;
}

// A bit of everything: locks, atomics, a semaphore, sleeps, a condition.
static void mixture(void)
{
    sem_init(&semaphore, 0, 2);
    for (uintptr_t i = 0; i < WORKERS; i++) {
        sched_spawn(work, (void *)(i + 1));
    }
    pthread_mutex_lock(&mutex);
    while ((done & 0xff) < WORKERS) {
        pthread_cond_wait(&condition, &mutex);
    }
    pthread_mutex_unlock(&mutex);
    SCHED_CHECK(counter == WORKERS * 10);
    *sched_note(0) = 1;
}

static struct cx_request request_of(uint32_t strategy, uint64_t seed, uint64_t choices)
{
    return (struct cx_request){.strategy = strategy, .seed = seed, .pct_depth = 4, .choices_expected = choices};
}

static const uint32_t strategies[] = {CX_STRATEGY_RANDOM, CX_STRATEGY_PCT};

// A log takes the slow path at every point; the interleaving must not depend on that.
static void test_same_seed_is_the_same_run(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct cx_request request = request_of(strategies[i], 11, 200);
        struct cx_result first = {0};
        for (int run = 0; run < 20; run++) {
            request.mode = run < 19 ? CX_MODE_LOG : 0;
            const struct cx_result *result = sched_run(mixture, &request);
            assert_int_equal(result->outcome, CX_OUTCOME_PASS);
            assert_int_equal(*sched_note(0), 1);
            if (run == 0) {
                first = *result;
                assert_true(result->log_hash != 0 && result->log_steps >= 100);
                continue;
            }
            assert_true(result->fingerprint == first.fingerprint);
            assert_true(result->steps == first.steps && result->switches == first.switches);
            assert_true(result->choices == first.choices && result->time_ns == first.time_ns);
            if (request.mode == CX_MODE_LOG) {
                assert_true(result->log_hash == first.log_hash && result->log_steps == first.log_steps);
            }
        }
    }
}

static void test_other_seeds_are_other_interleavings(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        uint64_t seen[100];
        uint32_t distinct = 0;
        for (uint64_t seed = 1; seed <= 100; seed++) {
            struct cx_request request = request_of(strategies[i], seed, 200);
            uint64_t fingerprint = sched_run(mixture, &request)->fingerprint;
            uint32_t at = 0;
            while (at < distinct && seen[at] != fingerprint) {
                at++;
            }
            if (at == distinct) {
                seen[distinct++] = fingerprint;
            }
        }
        assert_true(distinct >= 80);
    }
}

#define TURNS 2000
static int last_worker;

static void *take_turns(void *argument)
{
    int me = (int)(uintptr_t)argument;
    for (int i = 0; i < TURNS; i++) {
        int before = __atomic_exchange_n(&last_worker, me, __ATOMIC_SEQ_CST);
        *sched_note(0) += before != 0 && before != me;
    }
    return NULL;
}

// Two busy threads that never wait for each other; note 0 counts how often the turn went from one to the other.
static void two_busy_threads(void)
{
    pthread_t first = sched_spawn(take_turns, (void *)1);
    pthread_t second = sched_spawn(take_turns, (void *)2);
    sched_join(first);
    sched_join(second);
}

static void test_pct_of_depth_one_makes_no_change_points(void **state)
{
    (void)state;
    uint64_t most[6] = {0};
    for (uint32_t depth = 1; depth <= 5; depth++) {
        for (uint64_t seed = 1; seed <= 60; seed++) {
            struct cx_request request = request_of(CX_STRATEGY_PCT, seed, 2 * TURNS);
            request.pct_depth = depth;
            assert_int_equal(sched_run(two_busy_threads, &request)->outcome, CX_OUTCOME_PASS);
            most[depth] = *sched_note(0) > most[depth] ? *sched_note(0) : most[depth];
        }
        // The first to come, its end, and each change point: so many turns and no more.
        assert_in_range(most[depth], 1, depth);
    }
    assert_int_equal(most[1], 1);
    assert_true(most[5] >= 3);
}

static void test_random_preempts_within_its_range(void **state)
{
    (void)state;
    uint64_t choices = sched_run_default(two_busy_threads)->choices;
    assert_in_range(choices, TURNS, 10 * TURNS);
    uint64_t least = UINT64_MAX;
    uint64_t most = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct cx_request request = request_of(CX_STRATEGY_RANDOM, seed, choices);
        const struct cx_result *result = sched_run(two_busy_threads, &request);
        assert_int_equal(result->outcome, CX_OUTCOME_PASS);
        least = result->preemptions < least ? result->preemptions : least;
        most = result->preemptions > most ? result->preemptions : most;
    }
    // Drawn between 1 and 1023 a run, log-uniformly. A run with more choices than its calibration makes some more.
    assert_in_range(least, 0, 3);
    assert_in_range(most, 256, 2 * 1024);
}

static void pick_five(void)
{
    for (uint32_t i = 0; i < 8; i++) {
        *sched_note(i) = cx_pick(cx_self, 5);
        SCHED_CHECK(*sched_note(i) < 5);
    }
    SCHED_CHECK(cx_pick(cx_self, 1) == 0);
}

static void test_picks_are_drawn_recorded_and_replayed(void **state)
{
    (void)state;
    int seen[5] = {0};
    for (int run = 0; run < 40; run++) {
        struct cx_request request = request_of(strategies[run % 2], (uint64_t)run, 10);
        uint64_t picks[8];
        uint32_t others = 0;
        assert_int_equal(sched_run(pick_five, &request)->outcome, CX_OUTCOME_PASS);
        for (uint32_t i = 0; i < 8; i++) {
            picks[i] = *sched_note(i);
            seen[picks[i]]++;
            others += picks[i] != 0;
        }
        // 0 is the default; every other number is a deviation.
        assert_int_equal(sched_channel()->result.deviations_count, others);
        assert_int_equal(sched_replay(pick_five, 0)->outcome, CX_OUTCOME_PASS);
        for (uint32_t i = 0; i < 8; i++) {
            assert_int_equal(*sched_note(i), picks[i]);
        }
    }
    for (int i = 0; i < 5; i++) {
        assert_in_range(seen[i], 30, 100);
    }
    assert_int_equal(sched_run_default(pick_five)->deviations_count, 0);
    assert_int_equal(*sched_note(3), 0);
}

static void count_for_ever(void)
{
    for (;;) {
        __atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
    }
}

static void *count_beside(void *unused)
{
    count_for_ever();
    return unused;
}

static void two_count_for_ever(void)
{
    sched_spawn(count_beside, NULL);
    count_for_ever();
}

static void test_step_bound_is_a_livelock(void **state)
{
    (void)state;
    struct cx_request request = {.strategy = CX_STRATEGY_REPLAY, .steps_max = 10000};
    const struct cx_result *result = sched_run(count_for_ever, &request);
    assert_int_equal(result->outcome, CX_OUTCOME_LIVELOCK);
    assert_in_range(result->steps, 10000, 10001);
    assert_int_equal(result->cycle_count, 1);
    assert_int_equal(result->cycle[0].thread, CX_THREAD_KEY_MAIN);
    assert_true(result->cycle[0].object == (uint64_t)(uintptr_t)&counter);
    assert_true(result->stack.count > 1);
    for (int i = 0; i < 2; i++) {
        request = request_of(strategies[i], 5, 10000);
        request.steps_max = 20000;
        result = sched_run(two_count_for_ever, &request);
        assert_int_equal(result->outcome, CX_OUTCOME_LIVELOCK);
        assert_in_range(result->steps, 20000, 20001);
        assert_int_equal(result->cycle_count, 2);
    }
}

static void take_and_drop(void)
{
    while (!__atomic_load_n(&done, __ATOMIC_RELAXED)) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
    }
}

static void *set_done(void *unused)
{
    __atomic_store_n(&done, 1, __ATOMIC_RELAXED);
    return unused;
}

// A loop that works for ever (it takes and drops a lock) is no spin loop, yet it must not keep others from running.
static void busy_until_done(void)
{
    pthread_t other = sched_spawn(set_done, NULL);
    take_and_drop();
    sched_join(other);
    *sched_note(0) = 1;
}

static void test_busy_thread_starves_nobody(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(busy_until_done)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
    for (uint64_t seed = 1; seed <= 5; seed++) {
        for (int i = 0; i < 2; i++) {
            struct cx_request request = request_of(strategies[i], seed, 100);
            assert_int_equal(sched_run(busy_until_done, &request)->outcome, CX_OUTCOME_PASS);
            assert_int_equal(*sched_note(0), 1);
        }
    }
}

static int named; // the moment has a name

static void *step_out_for_a_moment(void *unused)
{
    for (int i = 0; i < 20; i++) {
        if (named && i == 11) {
            cx_point_labelled(cx_self, "out", __builtin_return_address(0));
        }
        if (i == 10) {
            __atomic_store_n(&counter, 1, __ATOMIC_SEQ_CST);
        }
        __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
        if (i == 12) {
            __atomic_store_n(&counter, 0, __ATOMIC_SEQ_CST);
        }
    }
    return unused;
}

// The other one is out for eight points of some fifty; main must pass all of its thousands meanwhile to see it.
static void long_beside_short(void)
{
    pthread_t other = sched_spawn(step_out_for_a_moment, NULL);
    for (int i = 0; i < 5000; i++) {
        __atomic_fetch_add(&last_worker, 1, __ATOMIC_SEQ_CST);
    }
    SCHED_CHECK(__atomic_load_n(&counter, __ATOMIC_SEQ_CST) == 0);
    sched_join(other);
}

static uint32_t failures_of_pct(uint64_t points_expected)
{
    uint32_t failures = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct cx_request request = request_of(CX_STRATEGY_PCT, seed, 10000);
        request.pct_depth = 2;
        request.points_expected = points_expected;
        const struct cx_result *result = sched_run(long_beside_short, &request);
        failures += result->outcome == CX_OUTCOME_INVARIANT;
        assert_in_range(result->points_max, 1, 60);
    }
    return failures;
}

// Change points over all points of a run hardly ever meet a short thread; over its own, they do.
static void test_pct_stops_short_threads_at_their_own_points(void **state)
{
    (void)state;
    assert_true(failures_of_pct(0) <= 1);
    uint32_t failures = failures_of_pct(60);
    assert_in_range(failures, 5, 40);
}

// Where the author has named the moment, they stop there in a third of all runs; only among stops of their own.
static void test_pct_stops_at_named_points(void **state)
{
    (void)state;
    uint32_t unnamed = failures_of_pct(60);
    named = 1;
    uint32_t failures = failures_of_pct(60);
    uint32_t failures_without = failures_of_pct(0);
    named = 0;
    assert_in_range(failures, 2 * unnamed, 120);
    assert_true(failures_without <= 1);
}

static void *out_three_times(void *unused)
{
    for (int i = 0; i < 3; i++) {
        cx_point_labelled(cx_self, "between", __builtin_return_address(0));
        __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
    }
    return unused;
}

// Two threads are stopped on their ways, each more than once, while main waits for both.
static void two_on_their_ways(void)
{
    pthread_t first = sched_spawn(out_three_times, NULL);
    pthread_t second = sched_spawn(out_three_times, NULL);
    sched_join(first);
    sched_join(second);
}

static void test_own_stops_follow_each_other_and_replay(void **state)
{
    (void)state;
    uint64_t most = 0;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct cx_request request = request_of(CX_STRATEGY_PCT, seed, 40);
        request.pct_depth = 1;
        request.points_expected = 20;
        uint64_t fingerprint = sched_run(two_on_their_ways, &request)->fingerprint;
        uint64_t preemptions = sched_run(two_on_their_ways, &request)->preemptions;
        most = preemptions > most ? preemptions : most;
        assert_int_equal(sched_replay(two_on_their_ways, CX_MODE_STRICT)->fingerprint, fingerprint);
    }
    assert_in_range(most, 4, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_seed_is_the_same_run),
        cmocka_unit_test(test_other_seeds_are_other_interleavings),
        cmocka_unit_test(test_pct_of_depth_one_makes_no_change_points),
        cmocka_unit_test(test_pct_stops_short_threads_at_their_own_points),
        cmocka_unit_test(test_pct_stops_at_named_points),
        cmocka_unit_test(test_own_stops_follow_each_other_and_replay),
        cmocka_unit_test(test_random_preempts_within_its_range),
        cmocka_unit_test(test_picks_are_drawn_recorded_and_replayed),
        cmocka_unit_test(test_step_bound_is_a_livelock),
        cmocka_unit_test(test_busy_thread_starves_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
