// SPDX-License-Identifier: Apache-2.0
//
// Semaphores under control.
#include "harness/tests/sched_case.h"

#include <errno.h>
#include <limits.h>
#include <semaphore.h>
#include <time.h>

static sem_t semaphore;
static sem_t other_semaphore;
static int inside;
static int count;

static void *enter(void *unused)
{
    SCHED_CHECK(sem_wait(&semaphore) == 0);
    SCHED_CHECK(__atomic_fetch_add(&inside, 1, __ATOMIC_SEQ_CST) == 0);
    count++;
    __atomic_fetch_sub(&inside, 1, __ATOMIC_SEQ_CST);
    SCHED_CHECK(sem_post(&semaphore) == 0);
    return unused;
}

// A semaphore of one is a lock.
static void as_lock(void)
{
    pthread_t threads[3];
    sem_init(&semaphore, 0, 1);
    for (int i = 0; i < 3; i++) {
        threads[i] = sched_spawn(enter, NULL);
    }
    for (int i = 0; i < 3; i++) {
        sched_join(threads[i]);
    }
    SCHED_CHECK(count == 3);
    *sched_note(0) = 1;
}

static void test_semaphore_of_one_excludes(void **state)
{
    (void)state;
    assert_int_equal(sched_explore(as_lock, CX_STRATEGY_RANDOM, 150).of[CX_OUTCOME_PASS], 150);
    assert_int_equal(sched_explore(as_lock, CX_STRATEGY_PCT, 150).of[CX_OUTCOME_PASS], 150);
    assert_int_equal(*sched_note(0), 1);
}

// The same with room for two: two threads are inside at once.
static void too_much_room(void)
{
    sem_init(&semaphore, 0, 2);
    pthread_t first = sched_spawn(enter, NULL);
    pthread_t second = sched_spawn(enter, NULL);
    sched_join(first);
    sched_join(second);
}

static void test_semaphore_of_two_lets_two_in(void **state)
{
    (void)state;
    struct sched_counts counts = sched_explore(too_much_room, CX_STRATEGY_RANDOM, 150);
    assert_true(counts.of[CX_OUTCOME_INVARIANT] > 0);
    assert_true(counts.of[CX_OUTCOME_PASS] > 0);
    assert_int_equal(counts.of[CX_OUTCOME_INVARIANT] + counts.of[CX_OUTCOME_PASS], 150);
}

static void *wait_and_note(void *argument)
{
    SCHED_CHECK(sem_wait(&semaphore) == 0);
    if (*sched_note(0) == 0) {
        *sched_note(0) = (uint64_t)(uintptr_t)argument;
    }
    return NULL;
}

// Two wait, two posts come: whoever runs first has the first.
static void two_waiters(void)
{
    sem_init(&semaphore, 0, 0);
    pthread_t first = sched_spawn(wait_and_note, (void *)1);
    pthread_t second = sched_spawn(wait_and_note, (void *)2);
    sem_post(&semaphore);
    sem_post(&semaphore);
    sched_join(first);
    sched_join(second);
    int value = -1;
    sem_getvalue(&semaphore, &value);
    SCHED_CHECK(value == 0);
}

static void test_either_waiter_may_come_first(void **state)
{
    (void)state;
    int seen[3] = {0};
    for (uint32_t seed = 1; seed <= 100; seed++) {
        struct cx_request request = {.strategy = CX_STRATEGY_RANDOM, .seed = seed, .choices_expected = 12};
        assert_int_equal(sched_run(two_waiters, &request)->outcome, CX_OUTCOME_PASS);
        seen[*sched_note(0)]++;
    }
    assert_int_equal(seen[0], 0);
    assert_true(seen[1] > 0 && seen[2] > 0);
}

// One post for two waiters: one of them waits for ever, and main for it.
static void one_post_too_few(void)
{
    sem_init(&semaphore, 0, 0);
    pthread_t first = sched_spawn(wait_and_note, (void *)1);
    pthread_t second = sched_spawn(wait_and_note, (void *)2);
    sem_post(&semaphore);
    sched_join(first);
    sched_join(second);
}

static void test_one_post_too_few_is_a_deadlock(void **state)
{
    (void)state;
    assert_int_equal(sched_explore(one_post_too_few, CX_STRATEGY_RANDOM, 50).of[CX_OUTCOME_DEADLOCK], 50);
    const struct cx_result *result = sched_run_default(one_post_too_few);
    assert_int_equal(result->outcome, CX_OUTCOME_DEADLOCK);
    assert_int_equal(*sched_note(0), 1);
    assert_int_equal(result->reports_count, 3);
    assert_int_equal(result->threads[0].op, CX_OP_THREAD_JOIN);
    assert_int_equal(result->threads[0].holder, result->threads[2].key);
    assert_int_equal(result->threads[1].status, CX_THREAD_EXITED);
    assert_int_equal(result->threads[2].op, CX_OP_SEM_WAIT);
    assert_true(result->threads[2].object == (uint64_t)(uintptr_t)&semaphore);
}

static void *crossed(void *unused)
{
    sem_wait(&other_semaphore);
    sem_wait(&semaphore);
    sem_post(&semaphore);
    sem_post(&other_semaphore);
    return unused;
}

// Each thread holds one and waits for the other's.
static void crossed_order(void)
{
    sem_init(&semaphore, 0, 1);
    sem_init(&other_semaphore, 0, 1);
    pthread_t thread = sched_spawn(crossed, NULL);
    sem_wait(&semaphore);
    sem_wait(&other_semaphore);
    sem_post(&other_semaphore);
    sem_post(&semaphore);
    sched_join(thread);
}

static void test_crossed_semaphores_are_found(void **state)
{
    (void)state;
    struct sched_counts counts = sched_explore(crossed_order, CX_STRATEGY_PCT, 150);
    assert_true(counts.of[CX_OUTCOME_DEADLOCK] > 0);
    assert_true(counts.of[CX_OUTCOME_PASS] > 0);
    assert_int_equal(counts.of[CX_OUTCOME_DEADLOCK] + counts.of[CX_OUTCOME_PASS], 150);
}

static void *try_once(void *unused)
{
    errno = 0;
    if (sem_trywait(&semaphore) == 0) {
        __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
    } else {
        SCHED_CHECK(errno == EAGAIN);
    }
    return unused;
}

// Three try for the last one: exactly one gets it, in every schedule.
static void last_one(void)
{
    pthread_t threads[3];
    sem_init(&semaphore, 0, 1);
    for (int i = 0; i < 3; i++) {
        threads[i] = sched_spawn(try_once, NULL);
    }
    for (int i = 0; i < 3; i++) {
        sched_join(threads[i]);
    }
    SCHED_CHECK(count == 1);
    *sched_note(0) = 1;
}

static void test_trywait_gives_the_last_one_once(void **state)
{
    (void)state;
    assert_int_equal(sched_explore(last_one, CX_STRATEGY_RANDOM, 100).of[CX_OUTCOME_PASS], 100);
    assert_int_equal(*sched_note(0), 1);
}

static int by_clock;

static void *post_later(void *unused)
{
    nanosleep(&(struct timespec){0, 500000000}, NULL);
    sem_post(&semaphore);
    return unused;
}

static int wait_until(const struct timespec *deadline)
{
    return by_clock ? sem_clockwait(&semaphore, CLOCK_MONOTONIC, deadline) : sem_timedwait(&semaphore, deadline);
}

// A second is allowed for a post that comes after half of one: mostly it comes, sometimes the schedule says too late.
static void timed(void)
{
    clockid_t clock = by_clock ? CLOCK_MONOTONIC : CLOCK_REALTIME;
    struct timespec deadline;
    struct timespec now;
    sem_init(&semaphore, 0, 0);
    pthread_t thread = sched_spawn(post_later, NULL);
    clock_gettime(clock, &deadline);
    deadline.tv_sec += 1;
    errno = 0;
    int result = wait_until(&deadline);
    clock_gettime(clock, &now);
    int late = now.tv_sec > deadline.tv_sec || (now.tv_sec == deadline.tv_sec && now.tv_nsec >= deadline.tv_nsec);
    SCHED_CHECK(result == 0 || (errno == ETIMEDOUT && late));
    sched_join(thread);
    int value = -1;
    sem_getvalue(&semaphore, &value);
    SCHED_CHECK(value == (result == 0 ? 0 : 1));
    *sched_note(0) = result == 0 ? 1 : 2;
}

static void test_timed_waits_go_both_ways(void **state)
{
    (void)state;
    for (by_clock = 0; by_clock <= 1; by_clock++) {
        int seen[3] = {0};
        assert_int_equal(sched_run_default(timed)->outcome, CX_OUTCOME_PASS);
        assert_int_equal(*sched_note(0), 1);
        for (uint32_t seed = 1; seed <= 200; seed++) {
            struct cx_request request = {.strategy = CX_STRATEGY_RANDOM, .seed = seed, .choices_expected = 10};
            assert_int_equal(sched_run(timed, &request)->outcome, CX_OUTCOME_PASS);
            seen[*sched_note(0)]++;
        }
        assert_int_equal(seen[0], 0);
        assert_true(seen[1] > 0 && seen[2] > 0);
    }
}

static void errors(void)
{
    struct timespec invalid = {0, 1000000000};
    struct timespec past = {1, 0};
    sem_init(&semaphore, 0, 1);
    // An invalid time matters only to a call that has to wait, and so does one that has passed.
    SCHED_CHECK(sem_timedwait(&semaphore, &invalid) == 0);
    errno = 0;
    SCHED_CHECK(sem_timedwait(&semaphore, &invalid) == -1 && errno == EINVAL);
    errno = 0;
    SCHED_CHECK(sem_clockwait(&semaphore, CLOCK_MONOTONIC, &invalid) == -1 && errno == EINVAL);
    errno = 0;
    SCHED_CHECK(sem_timedwait(&semaphore, &past) == -1 && errno == ETIMEDOUT);
    SCHED_CHECK(sem_post(&semaphore) == 0);
    SCHED_CHECK(sem_timedwait(&semaphore, &past) == 0);
    errno = 0;
    SCHED_CHECK(sem_trywait(&semaphore) == -1 && errno == EAGAIN);
    sem_init(&semaphore, 0, SEM_VALUE_MAX);
    errno = 0;
    SCHED_CHECK(sem_post(&semaphore) == -1 && errno == EOVERFLOW);
    *sched_note(0) = 1;
}

static void test_errors_are_those_of_posix(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(errors)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_semaphore_of_one_excludes),    cmocka_unit_test(test_semaphore_of_two_lets_two_in),
        cmocka_unit_test(test_either_waiter_may_come_first), cmocka_unit_test(test_one_post_too_few_is_a_deadlock),
        cmocka_unit_test(test_crossed_semaphores_are_found), cmocka_unit_test(test_trywait_gives_the_last_one_once),
        cmocka_unit_test(test_timed_waits_go_both_ways),     cmocka_unit_test(test_errors_are_those_of_posix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
