// SPDX-License-Identifier: Apache-2.0
//
// What pos, urw, surw and delay promise: distributions at fixed seeds, and that what they find replays.
#include "harness/tests/sched_case.h"

#include <sched.h>

#include "harness/sched/sched.h"

static const uint32_t strategies[] = {CX_STRATEGY_POS, CX_STRATEGY_URW, CX_STRATEGY_SURW, CX_STRATEGY_DELAY};
#define STRATEGIES (sizeof(strategies) / sizeof(strategies[0]))

static uint64_t words[4];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int finished;

static void *work(void *argument)
{
    struct timespec short_time = {0, 1000};
    for (uintptr_t i = 0; i < 5; i++) {
        pthread_mutex_lock(&mutex);
        words[0]++;
        pthread_mutex_unlock(&mutex);
        __atomic_fetch_add(&words[i % 3], (uintptr_t)argument, __ATOMIC_SEQ_CST);
        sched_yield();
    }
    nanosleep(&short_time, NULL);
    pthread_mutex_lock(&mutex);
    finished++;
    pthread_cond_broadcast(&condition);
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void mixture(void)
{
    for (uintptr_t i = 0; i < 3; i++) {
        sched_spawn(work, (void *)(i + 1));
    }
    pthread_mutex_lock(&mutex);
    while (finished < 3) {
        pthread_cond_wait(&condition, &mutex);
    }
    pthread_mutex_unlock(&mutex);
}

static void test_a_seed_is_a_run_and_replays(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < STRATEGIES; i++) {
        uint64_t last = 0;
        uint32_t changes = 0;
        for (uint64_t seed = 1; seed <= 40; seed++) {
            struct cx_request request = {.strategy = strategies[i], .seed = seed, .choices_expected = 100};
            request.focus[0] = (uint64_t)(uintptr_t)&words[1];
            assert_int_equal(sched_run(mixture, &request)->outcome, CX_OUTCOME_PASS);
            struct cx_result first = *sched_run(mixture, &request);
            changes += first.fingerprint != last;
            last = first.fingerprint;
            assert_int_equal(sched_run(mixture, &request)->fingerprint, first.fingerprint);
            assert_int_equal(sched_replay(mixture, 0)->outcome, CX_OUTCOME_PASS);
            assert_int_equal(sched_channel()->result.fingerprint, first.fingerprint);
        }
        assert_true(changes > 30);
    }
}

static uint64_t order;

// Three operations on one word; note 0 is the order of all threads' operations, two bits each.
static void *three_operations(void *argument)
{
    for (int i = 0; i < 3; i++) {
        __atomic_fetch_add(&words[0], 1, __ATOMIC_SEQ_CST);
        order = order * 4 + (uint64_t)(uintptr_t)argument;
    }
    *sched_note(0) = order;
    return NULL;
}

static void two_threads(void)
{
    pthread_t first = sched_spawn(three_operations, (void *)1);
    pthread_t second = sched_spawn(three_operations, (void *)2);
    sched_join(first);
    sched_join(second);
}

static struct cx_request counted(uint32_t strategy, uint64_t seed)
{
    struct cx_request request = {.strategy = strategy, .seed = seed, .choices_expected = 20, .profile_count = 3};
    request.profile[0] = (struct cx_profile){CX_THREAD_KEY_MAIN, 8};
    request.profile[1] = (struct cx_profile){cx_thread_key(CX_THREAD_KEY_MAIN, 1), 3};
    request.profile[2] = (struct cx_profile){cx_thread_key(CX_THREAD_KEY_MAIN, 2), 3};
    request.focus[0] = (uint64_t)(uintptr_t)&words[0];
    return request;
}

// How often each of the 20 orders of six operations came; least and most.
static uint32_t orders_count(uint32_t strategy, uint32_t runs, int placed, uint32_t *least, uint32_t *most)
{
    uint64_t orders[20];
    uint32_t counts[20] = {0};
    uint32_t distinct = 0;
    for (uint64_t seed = 1; seed <= runs; seed++) {
        struct cx_request request = counted(strategy, placed ? 3 : seed);
        request.place = placed ? UINT64_MAX / runs * (seed - 1) + UINT64_MAX / runs / 2 : 0;
        assert_int_equal(sched_run(two_threads, &request)->outcome, CX_OUTCOME_PASS);
        uint32_t at = 0;
        while (at < distinct && orders[at] != *sched_note(0)) {
            at++;
        }
        assert_true(at < 20);
        orders[at] = *sched_note(0);
        distinct += at == distinct;
        counts[at]++;
    }
    *least = UINT32_MAX;
    *most = 0;
    for (uint32_t i = 0; i < distinct; i++) {
        *least = counts[i] < *least ? counts[i] : *least;
        *most = counts[i] > *most ? counts[i] : *most;
    }
    return distinct;
}

static void test_urw_is_uniform(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        uint32_t least = 0;
        uint32_t most = 0;
        assert_int_equal(orders_count(i == 0 ? CX_STRATEGY_URW : CX_STRATEGY_SURW, 4000, 0, &least, &most), 20);
        // 200 each; four standard deviations are 55, and one run in sixteen also counts what nobody can tell.
        assert_in_range(least, 135, 200);
        assert_in_range(most, 200, 265);
    }
}

// 2000 runs at even places show each order 100 times, and hardly once more or less; drawn, they would be some 20 off.
static void test_places_spread_the_orders(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        uint32_t least = 0;
        uint32_t most = 0;
        assert_int_equal(orders_count(i == 0 ? CX_STRATEGY_URW : CX_STRATEGY_SURW, 2000, 1, &least, &most), 20);
        assert_in_range(least, 98, 100);
        assert_in_range(most, 100, 102);
    }
}

static void test_pos_reaches_all_orders(void **state)
{
    (void)state;
    uint32_t least = 0;
    uint32_t most = 0;
    // Each order of two conflicting operations is drawn anew, so none is rarer than 2^-6 of its share.
    assert_int_equal(orders_count(CX_STRATEGY_POS, 4000, 0, &least, &most), 20);
    assert_true(least >= 20);
}

static void test_delays_are_few(void **state)
{
    (void)state;
    uint64_t most = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct cx_request request = counted(CX_STRATEGY_DELAY, seed);
        uint64_t preemptions = sched_run(two_threads, &request)->preemptions;
        most = preemptions > most ? preemptions : most;
    }
    assert_in_range(most, 3, 5);
}

// A priority of the plan takes the place of the drawn one, and everything before it stays as it was.
static void test_pos_takes_priorities(void **state)
{
    (void)state;
    struct cx_channel *channel = sched_channel();
    uint32_t changed = 0;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct cx_request request = counted(CX_STRATEGY_POS, seed);
        uint64_t plain = sched_run(two_threads, &request)->fingerprint;
        channel->plan[0] = (struct cx_deviation){.kind = CX_DEVIATION_PRIORITY, .thread = 99, .point = 1, .object = 7};
        request.plan_count = 1;
        assert_int_equal(sched_run(two_threads, &request)->fingerprint, plain);
        channel->plan[0].thread = cx_thread_key(CX_THREAD_KEY_MAIN, 1);
        channel->plan[0].point = 3;
        changed += sched_run(two_threads, &request)->fingerprint != plain;
    }
    assert_in_range(changed, 5, 45);
}

static void *spin_until_set(void *unused)
{
    while (__atomic_load_n(&words[1], __ATOMIC_SEQ_CST) == 0) {
        sched_yield();
    }
    return unused;
}

// Two threads wait in a loop for what a third one does, which counts to none of the objects that surw looks at.
static void spinners(void)
{
    pthread_t first = sched_spawn(spin_until_set, NULL);
    pthread_t second = sched_spawn(spin_until_set, NULL);
    __atomic_fetch_add(&words[0], 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&words[0], 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&words[1], 1, __ATOMIC_SEQ_CST);
    sched_join(first);
    sched_join(second);
}

static void test_who_yields_starves_nobody(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < STRATEGIES; i++) {
        for (uint64_t seed = 1; seed <= 100; seed++) {
            struct cx_request request = counted(strategies[i], seed);
            const struct cx_result *result = sched_run(spinners, &request);
            assert_int_equal(result->outcome, CX_OUTCOME_PASS);
            assert_true(result->steps < 20000);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_seed_is_a_run_and_replays),
        cmocka_unit_test(test_urw_is_uniform),
        cmocka_unit_test(test_places_spread_the_orders),
        cmocka_unit_test(test_pos_reaches_all_orders),
        cmocka_unit_test(test_delays_are_few),
        cmocka_unit_test(test_pos_takes_priorities),
        cmocka_unit_test(test_who_yields_starves_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
