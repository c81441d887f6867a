// SPDX-License-Identifier: Apache-2.0
//
// The way out of a thread: destructors run under control, a thread is over only when its last one is, and no thread's
// end runs beside another thread.
#include "harness/tests/sched_case.h"

#include <errno.h>
#include <limits.h>

static pthread_key_t key;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int inside;
static int destroyed;
static __thread int own = 5;

static void enter(void)
{
    pthread_mutex_lock(&mutex);
    SCHED_CHECK(__atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST) == 1);
    __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&mutex);
}

static void destroy_locked(void *value)
{
    SCHED_CHECK(own == (int)(uintptr_t)value);
    enter();
    __atomic_add_fetch(&destroyed, 1, __ATOMIC_SEQ_CST);
}

static void *set_value(void *argument)
{
    SCHED_CHECK(own == 5);
    own = (int)(uintptr_t)argument;
    pthread_setspecific(key, argument);
    return argument;
}

// Destructors of two threads and main contend for one mutex. A joined thread's destructor has run.
static void destructors_contend(void)
{
    pthread_key_create(&key, destroy_locked);
    pthread_t first = sched_spawn(set_value, (void *)11);
    pthread_t second = sched_spawn(set_value, (void *)12);
    enter();
    sched_join(first);
    SCHED_CHECK(__atomic_load_n(&destroyed, __ATOMIC_SEQ_CST) >= 1);
    sched_join(second);
    SCHED_CHECK(destroyed == 2);
    *sched_note(0) = 1;
}

static void test_destructors_are_interleaved(void **state)
{
    (void)state;
    assert_int_equal(sched_explore(destructors_contend, CX_STRATEGY_RANDOM, 150).of[CX_OUTCOME_PASS], 150);
    assert_int_equal(sched_explore(destructors_contend, CX_STRATEGY_PCT, 150).of[CX_OUTCOME_PASS], 150);
    assert_int_equal(*sched_note(0), 1);
}

static int flag;

static void destroy_and_check(void *unused)
{
    (void)unused;
    int seen = __atomic_load_n(&flag, __ATOMIC_ACQUIRE);
    __atomic_store_n(&flag, seen + 1, __ATOMIC_RELEASE);
}

// The destructor's load, then main's store of 10, then the destructor's store of 1: main's update is lost.
static void destructor_races(void)
{
    pthread_key_create(&key, destroy_and_check);
    pthread_t thread = sched_spawn(set_value, (void *)13);
    __atomic_fetch_add(&flag, 10, __ATOMIC_SEQ_CST);
    sched_join(thread);
    SCHED_CHECK(flag == 11);
}

static void test_race_with_a_destructor_is_found(void **state)
{
    (void)state;
    struct sched_counts counts = sched_explore(destructor_races, CX_STRATEGY_RANDOM, 150);
    assert_true(counts.of[CX_OUTCOME_INVARIANT] > 0);
    assert_true(counts.of[CX_OUTCOME_PASS] > 0);
    assert_int_equal(counts.of[CX_OUTCOME_INVARIANT] + counts.of[CX_OUTCOME_PASS], 150);
}

static void destroy_again_and_again(void *value)
{
    enter();
    __atomic_add_fetch(&destroyed, 1, __ATOMIC_SEQ_CST);
    pthread_setspecific(key, value);
}

// POSIX goes round the destructors PTHREAD_DESTRUCTOR_ITERATIONS times for a key that is set again each time. The
// thread is under control in every round, the last included: its lock is contended there, too.
static void key_set_again(void)
{
    pthread_key_create(&key, destroy_again_and_again);
    pthread_t first = sched_spawn(set_value, (void *)14);
    pthread_t second = sched_spawn(set_value, (void *)15);
    for (int i = 0; i < 4; i++) {
        enter();
    }
    sched_join(first);
    sched_join(second);
    SCHED_CHECK(destroyed == 2 * PTHREAD_DESTRUCTOR_ITERATIONS);
    *sched_note(0) = 1;
}

static void test_key_that_is_set_again_is_controlled_in_every_round(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(key_set_again)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
    assert_int_equal(sched_explore(key_set_again, CX_STRATEGY_RANDOM, 150).of[CX_OUTCOME_PASS], 150);
    assert_int_equal(sched_explore(key_set_again, CX_STRATEGY_PCT, 150).of[CX_OUTCOME_PASS], 150);
}

// A last-round destructor waits for a lock whose holder waits for the thread: a deadlock, not a hang.
static void last_round_deadlocks(void)
{
    pthread_key_create(&key, destroy_again_and_again);
    pthread_t thread = sched_spawn(set_value, (void *)16);
    while (__atomic_load_n(&destroyed, __ATOMIC_SEQ_CST) < PTHREAD_DESTRUCTOR_ITERATIONS - 1) {
        sched_yield();
    }
    pthread_mutex_lock(&mutex);
    sched_join(thread);
}

static void test_deadlock_in_the_last_round_is_found(void **state)
{
    (void)state;
    struct sched_counts counts = sched_explore(last_round_deadlocks, CX_STRATEGY_RANDOM, 60);
    assert_true(counts.of[CX_OUTCOME_DEADLOCK] > 0);
    assert_int_equal(counts.of[CX_OUTCOME_DEADLOCK] + counts.of[CX_OUTCOME_PASS], 60);
}

static void clean_up(void *argument)
{
    enter();
    __atomic_add_fetch(&destroyed, (int)(uintptr_t)argument, __ATOMIC_SEQ_CST);
}

static void *exit_deep_inside(void *argument)
{
    pthread_cleanup_push(clean_up, (void *)100);
    pthread_setspecific(key, (void *)5);
    pthread_exit(argument);
    pthread_cleanup_pop(0);
    return NULL;
}

// pthread_exit runs cleanup handlers, then destructors, then the join comes back with its value.
static void exits_early(void)
{
    pthread_key_create(&key, destroy_locked);
    pthread_t first = sched_spawn(exit_deep_inside, (void *)21);
    pthread_t second = sched_spawn(exit_deep_inside, (void *)22);
    enter();
    SCHED_CHECK(sched_join(first) == (void *)21);
    SCHED_CHECK(sched_join(second) == (void *)22);
    SCHED_CHECK(destroyed == 202);
    *sched_note(0) = 1;
}

static void test_pthread_exit_unwinds_under_control(void **state)
{
    (void)state;
    assert_int_equal(sched_explore(exits_early, CX_STRATEGY_RANDOM, 150).of[CX_OUTCOME_PASS], 150);
    assert_int_equal(*sched_note(0), 1);
}

static void *make_a_child(void *unused)
{
    (void)unused;
    return NULL;
}

static void destroy_with_a_child(void *unused)
{
    (void)unused;
    sched_join(sched_spawn(make_a_child, NULL));
    __atomic_add_fetch(&destroyed, 1, __ATOMIC_SEQ_CST);
}

static void destructor_makes_a_thread(void)
{
    pthread_key_create(&key, destroy_with_a_child);
    sched_join(sched_spawn(set_value, (void *)17));
    SCHED_CHECK(destroyed == 1);
    *sched_note(0) = 1;
}

static void test_destructor_may_make_threads(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(destructor_makes_a_thread);
    assert_int_equal(result->outcome, CX_OUTCOME_PASS);
    assert_int_equal(result->threads_count, 3);
    assert_int_equal(*sched_note(0), 1);
}

static void *end_last(void *unused)
{
    sched_yield();
    *sched_note(0) = 1;
    return unused;
}

// main ends by pthread_exit: the process lives until the last thread has ended, and no deadlock is made of that.
static void main_exits(void)
{
    sched_spawn(end_last, NULL);
    pthread_exit(NULL);
}

static void test_pthread_exit_of_main_is_no_deadlock(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 20; seed++) {
        struct cx_request request = {.strategy = CX_STRATEGY_RANDOM, .seed = seed, .choices_expected = 5};
        assert_int_equal(sched_run(main_exits, &request)->outcome, CX_OUTCOME_EXIT);
        assert_int_equal(*sched_note(0), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_destructors_are_interleaved),
        cmocka_unit_test(test_race_with_a_destructor_is_found),
        cmocka_unit_test(test_key_that_is_set_again_is_controlled_in_every_round),
        cmocka_unit_test(test_deadlock_in_the_last_round_is_found),
        cmocka_unit_test(test_pthread_exit_unwinds_under_control),
        cmocka_unit_test(test_destructor_may_make_threads),
        cmocka_unit_test(test_pthread_exit_of_main_is_no_deadlock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
