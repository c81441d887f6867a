// SPDX-License-Identifier: Apache-2.0
//
// Threads under control: making, joining, detaching, parking, and names that mean the same thread in every schedule.
// What happens on the way out of a thread is in test_sched_thread_exit.c.
#include "harness/tests/sched_case.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MANY 500

static void *echo(void *argument)
{
    return argument;
}

static void *exit_with(void *argument)
{
    pthread_exit(argument);
}

static void join_gives_results(void)
{
    pthread_t thread = sched_spawn(echo, (void *)7);
    SCHED_CHECK(sched_join(thread) == (void *)7);
    SCHED_CHECK(sched_join(sched_spawn(exit_with, (void *)8)) == (void *)8);
    SCHED_CHECK(pthread_join(sched_spawn(echo, NULL), NULL) == 0);
    SCHED_CHECK(pthread_join(pthread_self(), NULL) == EDEADLK);
    *sched_note(0) = 1;
}

static void test_join_gives_results(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(join_gives_results);
    assert_int_equal(result->outcome, CX_OUTCOME_PASS);
    assert_int_equal(result->threads_count, 4);
    assert_int_equal(*sched_note(0), 1);
    assert_int_equal(sched_explore(join_gives_results, CX_STRATEGY_RANDOM, 50).of[CX_OUTCOME_PASS], 50);
}

static void in_one_second(clockid_t clock, struct timespec *out)
{
    clock_gettime(clock, out);
    out->tv_sec++;
}

static void *sleep_for(void *argument)
{
    sleep((unsigned)(uintptr_t)argument);
    return argument;
}

// Joins that do not wait for ever, on a thread that sleeps for an hour and on one that sleeps for no time.
static void bounded_joins(void)
{
    struct timespec deadline;
    void *result = NULL;
    pthread_t slow = sched_spawn(sleep_for, (void *)3600);
    SCHED_CHECK(pthread_tryjoin_np(slow, &result) == EBUSY);
    in_one_second(CLOCK_REALTIME, &deadline);
    SCHED_CHECK(pthread_timedjoin_np(slow, &result, &deadline) == ETIMEDOUT);
    in_one_second(CLOCK_MONOTONIC, &deadline);
    SCHED_CHECK(pthread_clockjoin_np(slow, &result, CLOCK_MONOTONIC, &deadline) == ETIMEDOUT);
    SCHED_CHECK(pthread_timedjoin_np(slow, &result, &(struct timespec){1, 0}) == ETIMEDOUT);
    SCHED_CHECK(result == NULL);
    deadline.tv_sec += 7200;
    SCHED_CHECK(pthread_clockjoin_np(slow, &result, CLOCK_MONOTONIC, &deadline) == 0);
    SCHED_CHECK(result == (void *)3600);

    pthread_t quick = sched_spawn(echo, (void *)5);
    while (pthread_tryjoin_np(quick, &result) == EBUSY) {
    }
    SCHED_CHECK(result == (void *)5);
    SCHED_CHECK(pthread_timedjoin_np(sched_spawn(echo, (void *)6), &result, NULL) == 0);
    SCHED_CHECK(result == (void *)6);
    *sched_note(0) = 1;
}

static void test_bounded_joins(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(bounded_joins)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
}

static pthread_t joined;

static void *join_the_other(void *unused)
{
    void *result = NULL;
    int error = pthread_join(joined, &result);
    SCHED_CHECK(error == EINVAL || (error == 0 && result == (void *)9));
    __atomic_add_fetch(sched_note(error == 0 ? 0 : 1), 1, __ATOMIC_RELAXED);
    return unused;
}

// POSIX leaves two joins of one thread undefined; libc answers the second with an error, and so do we.
static void joined_twice(void)
{
    joined = sched_spawn(exit_with, (void *)9);
    pthread_t other = sched_spawn(join_the_other, NULL);
    join_the_other(NULL);
    sched_join(other);
}

static void join_detached(void)
{
    pthread_t thread = sched_spawn(sleep_for, (void *)1);
    SCHED_CHECK(pthread_detach(thread) == 0);
    SCHED_CHECK(pthread_detach(thread) == EINVAL);
    SCHED_CHECK(pthread_join(thread, NULL) == EINVAL);
    SCHED_CHECK(pthread_tryjoin_np(thread, NULL) == EINVAL);
    *sched_note(0) = 1;
}

static void test_wrong_joins_return_errors(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(join_detached)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
    assert_int_equal(sched_run_default(joined_twice)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
    assert_int_equal(*sched_note(1), 1);
}

static int finished;

static void *count_up(void *unused)
{
    __atomic_add_fetch(&finished, 1, __ATOMIC_SEQ_CST);
    return unused;
}

// Nobody joins them: detached by attribute, by a call of their own, and never at all.
static void nobody_joins(void)
{
    pthread_attr_t attributes;
    pthread_t detached;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    for (int i = 0; i < 5; i++) {
        SCHED_CHECK(pthread_create(&detached, &attributes, count_up, NULL) == 0);
        SCHED_CHECK(pthread_detach(sched_spawn(count_up, NULL)) == 0);
        sched_spawn(count_up, NULL);
    }
    while (__atomic_load_n(&finished, __ATOMIC_SEQ_CST) < 15) {
    }
    *sched_note(0) = 1;
}

static void test_threads_that_nobody_joins(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(nobody_joins)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(sched_explore(nobody_joins, CX_STRATEGY_RANDOM, 30).of[CX_OUTCOME_PASS], 30);
    assert_int_equal(sched_explore(nobody_joins, CX_STRATEGY_PCT, 30).of[CX_OUTCOME_PASS], 30);
    assert_int_equal(*sched_note(0), 1);
}

// The run is over when main is, whatever others still wait for.
static void main_leaves_first(void)
{
    sched_spawn(sleep_for, (void *)3600);
    sched_yield();
    *sched_note(0) = 1;
}

static void test_main_may_leave_first(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(main_leaves_first);
    assert_int_equal(result->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
    assert_true(result->time_ns < 1000000000);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *park(void *unused)
{
    __atomic_store_n(&finished, 1, __ATOMIC_RELEASE);
    pause();
    SCHED_CHECK(!"pause came back");
    return unused;
}

static void *lock_and_park(void *unused)
{
    pthread_mutex_lock(&mutex);
    return park(unused);
}

// Parked threads are no party of a deadlock: the rest of the program goes on and ends.
static void others_go_on(void)
{
    sched_spawn(park, NULL);
    while (!__atomic_load_n(&finished, __ATOMIC_ACQUIRE)) {
        sched_yield();
    }
    SCHED_CHECK(sched_join(sched_spawn(echo, (void *)4)) == (void *)4);
    sleep(1);
    *sched_note(0) = 1;
}

static void join_parked(void)
{
    sched_join(sched_spawn(park, NULL));
}

static void wait_for_lock_of_parked(void)
{
    sched_spawn(lock_and_park, NULL);
    sched_yield();
    pthread_mutex_lock(&mutex);
}

static void test_parked_thread_is_no_party_but_may_be_waited_for(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(others_go_on)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
    assert_int_equal(sched_explore(others_go_on, CX_STRATEGY_RANDOM, 30).of[CX_OUTCOME_PASS], 30);

    static void (*const waits[])(void) = {join_parked, wait_for_lock_of_parked};
    for (int i = 0; i < 2; i++) {
        const struct cx_result *result = sched_run_default(waits[i]);
        assert_int_equal(result->outcome, CX_OUTCOME_DEADLOCK);
        assert_int_equal(result->reports_count, 2);
        assert_int_equal(result->threads[0].status, CX_THREAD_BLOCKED);
        assert_int_equal(result->threads[0].holder, result->threads[1].key);
        assert_int_equal(result->threads[1].status, CX_THREAD_PARKED);
        assert_int_equal(result->threads[1].op, CX_OP_PAUSE);
        assert_true(result->threads[1].stack.count > 1);
    }
}

static void *lock_and_count(void *unused)
{
    pthread_mutex_lock(&mutex);
    finished++;
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void many_threads(void)
{
    static pthread_t threads[MANY];
    for (int i = 0; i < MANY; i++) {
        threads[i] = sched_spawn(lock_and_count, NULL);
    }
    for (int i = 0; i < MANY; i++) {
        sched_join(threads[i]);
    }
    SCHED_CHECK(finished == MANY);
    *sched_note(0) = 1;
}

static void test_hundreds_of_threads(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(many_threads);
    assert_int_equal(result->outcome, CX_OUTCOME_PASS);
    assert_int_equal(result->threads_count, MANY + 1);
    assert_int_equal(sched_explore(many_threads, CX_STRATEGY_RANDOM, 5).of[CX_OUTCOME_PASS], 5);
    assert_int_equal(sched_explore(many_threads, CX_STRATEGY_PCT, 5).of[CX_OUTCOME_PASS], 5);
    assert_int_equal(*sched_note(0), 1);
}

static void *two_children(void *unused)
{
    pthread_t first = sched_spawn(count_up, NULL);
    pthread_t second = sched_spawn(count_up, NULL);
    sched_join(first);
    sched_join(second);
    return unused;
}

static void family(void)
{
    pthread_t first = sched_spawn(two_children, NULL);
    pthread_t second = sched_spawn(two_children, NULL);
    sched_join(first);
    sched_join(second);
    SCHED_CHECK(finished == 4);
}

// Each of main's two children makes two of its own, in any order in time; the same six paths and keys come of it.
static void test_names_are_those_of_the_tree(void **state)
{
    (void)state;
    static const char *const paths[] = {"main", "main.1", "main.2", "main.1.1", "main.1.2", "main.2.1", "main.2.2"};
    int orders = 0;
    for (uint32_t seed = 1; seed <= 50; seed++) {
        struct cx_request request = {
            .strategy = CX_STRATEGY_RANDOM, .mode = CX_MODE_LOG, .seed = seed, .choices_expected = 30};
        const struct cx_result *result = sched_run(family, &request);
        assert_int_equal(result->outcome, CX_OUTCOME_PASS);
        assert_int_equal(result->reports_count, 7);
        uint32_t found = 0;
        for (uint32_t i = 0; i < 7; i++) {
            const struct cx_thread_report *thread = &result->threads[i];
            assert_int_equal(thread->key, cx_thread_key_from_path(thread->path));
            for (uint32_t k = 0; k < 7; k++) {
                found += strcmp(thread->path, paths[k]) == 0;
            }
        }
        assert_int_equal(found, 7);
        orders += strcmp(result->threads[3].path, "main.1.1") != 0;
    }
    assert_true(orders > 0);
}

static void create_fails(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    SCHED_CHECK(pthread_attr_setstacksize(&attributes, (size_t)1 << 46) == 0);
    SCHED_CHECK(pthread_create(&thread, &attributes, echo, NULL) == EAGAIN);
    // The failed one has left no trace: this one is main.1.
    SCHED_CHECK(sched_join(sched_spawn(echo, (void *)3)) == (void *)3);
}

static void test_failed_create_leaves_no_trace(void **state)
{
    (void)state;
    struct cx_request request = {.strategy = CX_STRATEGY_REPLAY, .mode = CX_MODE_LOG};
    const struct cx_result *result = sched_run(create_fails, &request);
    assert_int_equal(result->outcome, CX_OUTCOME_PASS);
    assert_int_equal(result->threads_count, 2);
    assert_string_equal(result->threads[1].path, "main.1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join_gives_results),
        cmocka_unit_test(test_bounded_joins),
        cmocka_unit_test(test_wrong_joins_return_errors),
        cmocka_unit_test(test_threads_that_nobody_joins),
        cmocka_unit_test(test_main_may_leave_first),
        cmocka_unit_test(test_parked_thread_is_no_party_but_may_be_waited_for),
        cmocka_unit_test(test_hundreds_of_threads),
        cmocka_unit_test(test_names_are_those_of_the_tree),
        cmocka_unit_test(test_failed_create_leaves_no_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
