// SPDX-License-Identifier: Apache-2.0
//
// Mutexes under control: what blocks, what does not, and which deadlocks are found.
#include "harness/tests/sched_case.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t right = PTHREAD_MUTEX_INITIALIZER;

static void *take_right_then_left(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&right);
    pthread_mutex_lock(&left);
    pthread_mutex_unlock(&left);
    pthread_mutex_unlock(&right);
    return NULL;
}

// One thread holds left and waits for right while the other holds right and waits for left.
static void abba(void)
{
    pthread_t other;
    pthread_create(&other, NULL, take_right_then_left, NULL);
    pthread_mutex_lock(&left);
    pthread_mutex_lock(&right);
    pthread_mutex_unlock(&right);
    pthread_mutex_unlock(&left);
    pthread_join(other, NULL);
}

static void test_abba_is_found_and_passes_otherwise(void **state)
{
    (void)state;
    struct sched_counts counts = sched_explore(abba, CX_STRATEGY_RANDOM, 100);
    assert_true(counts.of[CX_OUTCOME_DEADLOCK] > 0);
    assert_true(counts.of[CX_OUTCOME_PASS] > 0);
    assert_int_equal(counts.of[CX_OUTCOME_DEADLOCK] + counts.of[CX_OUTCOME_PASS], 100);
}

static void test_deadlock_names_holders(void **state)
{
    (void)state;
    struct cx_request request = {.strategy = CX_STRATEGY_RANDOM, .choices_expected = 12};
    const struct cx_result *result = NULL;
    do {
        request.seed++;
        assert_true(request.seed < 200);
        result = sched_run(abba, &request);
    } while (result->outcome != CX_OUTCOME_DEADLOCK);
    assert_int_equal(result->reports_count, 2);
    assert_int_equal(result->threads[0].holder, result->threads[1].key);
    assert_int_equal(result->threads[1].holder, result->threads[0].key);
    assert_int_equal(result->threads[0].op, CX_OP_MUTEX_LOCK);
    assert_true(result->threads[1].stack.count > 1);
    assert_string_equal(result->threads[1].path, "main.1");
}

static void self_deadlock(void)
{
    pthread_mutex_lock(&left);
    pthread_mutex_lock(&left);
}

static void test_self_deadlock_is_exact(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(self_deadlock);
    assert_int_equal(result->outcome, CX_OUTCOME_DEADLOCK);
    assert_int_equal(result->threads[0].holder, CX_THREAD_KEY_MAIN);
}

static void make(pthread_mutex_t *mutex, int kind)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, kind);
    pthread_mutex_init(mutex, &attributes);
}

static void error_checking(void)
{
    pthread_mutex_t mutex;
    make(&mutex, PTHREAD_MUTEX_ERRORCHECK);
    SCHED_CHECK(pthread_mutex_lock(&mutex) == 0);
    SCHED_CHECK(pthread_mutex_lock(&mutex) == EDEADLK);
    SCHED_CHECK(pthread_mutex_trylock(&mutex) == EBUSY);
    SCHED_CHECK(pthread_mutex_unlock(&mutex) == 0);
    SCHED_CHECK(pthread_mutex_unlock(&mutex) == EPERM);
}

static void test_error_checking_mutex_says_so(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(error_checking)->outcome, CX_OUTCOME_PASS);
}

static pthread_mutex_t recursive_mutex;
static int inside;

static void *enter_once(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&recursive_mutex);
    SCHED_CHECK(inside == 0);
    pthread_mutex_unlock(&recursive_mutex);
    return NULL;
}

// The other thread must not get in while the mutex is held once of twice.
static void recursive(void)
{
    pthread_t other;
    make(&recursive_mutex, PTHREAD_MUTEX_RECURSIVE);
    pthread_create(&other, NULL, enter_once, NULL);
    SCHED_CHECK(pthread_mutex_lock(&recursive_mutex) == 0);
    inside = 1;
    SCHED_CHECK(pthread_mutex_lock(&recursive_mutex) == 0);
    SCHED_CHECK(pthread_mutex_unlock(&recursive_mutex) == 0);
    sched_yield();
    inside = 0;
    SCHED_CHECK(pthread_mutex_unlock(&recursive_mutex) == 0);
    pthread_join(other, NULL);
}

static void test_recursive_mutex_excludes_until_last_unlock(void **state)
{
    (void)state;
    struct sched_counts counts = sched_explore(recursive, CX_STRATEGY_RANDOM, 100);
    assert_int_equal(counts.of[CX_OUTCOME_PASS], 100);
}

static void *hold_and_sleep(void *unused)
{
    (void)unused;
    struct timespec half_second = {0, 500000000};
    pthread_mutex_lock(&left);
    nanosleep(&half_second, NULL);
    pthread_mutex_unlock(&left);
    return NULL;
}

// The waiter allows one second for a lock that is held for half of one.
static void timed_lock(void)
{
    pthread_t other;
    struct timespec deadline;
    pthread_create(&other, NULL, hold_and_sleep, NULL);
    sched_yield();
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 1;
    int error = pthread_mutex_timedlock(&left, &deadline);
    SCHED_CHECK(error == 0 || error == ETIMEDOUT);
    *sched_note(0) = (uint64_t)error;
    if (error == 0) {
        pthread_mutex_unlock(&left);
    }
    pthread_join(other, NULL);
}

static void test_timed_lock_goes_both_ways(void **state)
{
    (void)state;
    int got = 0;
    int expired = 0;
    for (uint32_t seed = 1; seed <= 300; seed++) {
        struct cx_request request = {.strategy = CX_STRATEGY_RANDOM, .seed = seed, .choices_expected = 10};
        assert_int_equal(sched_run(timed_lock, &request)->outcome, CX_OUTCOME_PASS);
        got += *sched_note(0) == 0;
        expired += *sched_note(0) == ETIMEDOUT;
    }
    assert_true(got > 0);
    assert_true(expired > 0);
    assert_true(got > expired);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_abba_is_found_and_passes_otherwise),
        cmocka_unit_test(test_deadlock_names_holders),
        cmocka_unit_test(test_self_deadlock_is_exact),
        cmocka_unit_test(test_error_checking_mutex_says_so),
        cmocka_unit_test(test_recursive_mutex_excludes_until_last_unlock),
        cmocka_unit_test(test_timed_lock_goes_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
