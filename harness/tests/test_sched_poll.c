// SPDX-License-Identifier: Apache-2.0
//
// Deadlocks behind waits that poll, and what only looks like one. CPython's stop-the-world requester waits in slices of
// 1 ms, for ever: under virtual time such a thread can always go on, and a true deadlock would look like work.
#include "harness/tests/sched_case.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000L

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int stopped;
static int lock_word;
static long slice_ns[3] = {1 * MS, 5 * MS, 7 * MS};

static void wait_slice(long ns)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_nsec += ns;
    if (deadline.tv_nsec >= 1000 * MS) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000 * MS;
    }
    int error = pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &deadline);
    SCHED_CHECK(error == 0 || error == ETIMEDOUT);
}

// Waits in slices until `stopped`. As CPython does, it takes and drops a lock word in between, with atomic stores whose
// net effect is nothing.
static void *poll_until_stopped(void *argument)
{
    long ns = *(const long *)argument;
    pthread_mutex_lock(&mutex);
    while (!stopped) {
        wait_slice(ns);
        __atomic_store_n(&lock_word, 1, __ATOMIC_RELEASE);
        __atomic_store_n(&lock_word, 0, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

// The poller waits for main to stop, main is in join on the poller.
static void poller_and_joiner(void)
{
    sched_join(sched_spawn(poll_until_stopped, &slice_ns[0]));
}

static void three_pollers_and_joiner(void)
{
    sched_spawn(poll_until_stopped, &slice_ns[1]);
    sched_spawn(poll_until_stopped, &slice_ns[2]);
    sched_join(sched_spawn(poll_until_stopped, &slice_ns[0]));
}

static void test_deadlock_behind_a_poller_is_found(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(poller_and_joiner);
    assert_int_equal(result->outcome, CX_OUTCOME_DEADLOCK);
    assert_int_equal(result->reports_count, 2);
    assert_int_equal(result->threads[0].op, CX_OP_THREAD_JOIN);
    assert_int_equal(result->threads[0].holder, result->threads[1].key);
    assert_int_equal(result->threads[1].op, CX_OP_COND_WAIT);
    assert_int_equal(result->threads[1].timed, 1);
    assert_true(result->threads[1].expiries >= 1000);
    assert_true(result->threads[1].object == (uint64_t)(uintptr_t)&condition);
    assert_true(result->threads[1].stack.count > 1);
    assert_int_equal(sched_explore(poller_and_joiner, CX_STRATEGY_RANDOM, 5).of[CX_OUTCOME_DEADLOCK], 5);
    assert_int_equal(sched_explore(poller_and_joiner, CX_STRATEGY_PCT, 5).of[CX_OUTCOME_DEADLOCK], 5);
}

static void test_deadlock_behind_pollers_of_different_slices_is_found(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(three_pollers_and_joiner);
    assert_int_equal(result->outcome, CX_OUTCOME_DEADLOCK);
    assert_int_equal(result->reports_count, 4);
    for (uint32_t i = 1; i < 4; i++) {
        assert_int_equal(result->threads[i].timed, 1);
        assert_true(result->threads[i].expiries >= 1000);
    }
    assert_int_equal(sched_explore(three_pollers_and_joiner, CX_STRATEGY_RANDOM, 3).of[CX_OUTCOME_DEADLOCK], 3);
}

static void test_deadlock_behind_a_poller_replays(void **state)
{
    (void)state;
    struct cx_request request = {.strategy = CX_STRATEGY_RANDOM, .seed = 3, .choices_expected = 50};
    const struct cx_result *result = sched_run(three_pollers_and_joiner, &request);
    assert_int_equal(result->outcome, CX_OUTCOME_DEADLOCK);
    uint64_t fingerprint = result->fingerprint;
    uint64_t steps = result->steps;
    for (int i = 0; i < 3; i++) {
        result = sched_replay(three_pollers_and_joiner, 0);
        assert_int_equal(result->outcome, CX_OUTCOME_DEADLOCK);
        assert_true(result->fingerprint == fingerprint && result->steps == steps);
    }
}

static void *stop_after(void *argument)
{
    nanosleep(argument, NULL);
    pthread_mutex_lock(&mutex);
    stopped = 1;
    pthread_mutex_unlock(&mutex);
    return NULL;
}

// Two poll while a third sleeps for minutes and then ends their wait: rounds are over only when the sleeper's is, too.
static void pollers_and_a_sleeper(void)
{
    static struct timespec minutes = {300, 0};
    pthread_t first = sched_spawn(poll_until_stopped, &slice_ns[0]);
    pthread_t second = sched_spawn(poll_until_stopped, &slice_ns[1]);
    sched_join(sched_spawn(stop_after, &minutes));
    sched_join(first);
    sched_join(second);
    *sched_note(0) = 1;
}

static void test_pollers_that_are_let_go_later_pass(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(pollers_and_a_sleeper);
    assert_int_equal(result->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
    assert_true(result->time_ns >= 300000000000ULL);
    for (uint32_t seed = 1; seed <= 5; seed++) {
        struct cx_request request = {.strategy = CX_STRATEGY_RANDOM, .seed = seed, .choices_expected = 100};
        assert_int_equal(sched_run(pollers_and_a_sleeper, &request)->outcome, CX_OUTCOME_PASS);
    }
}

static int limit;

// It gives up after a number of slices that it counts in an atomic word: that word tells the scheduler.
static void count_slices(void)
{
    static int slices;
    pthread_mutex_lock(&mutex);
    while (__atomic_add_fetch(&slices, 1, __ATOMIC_RELAXED) < limit) {
        wait_slice(20 * MS);
    }
    pthread_mutex_unlock(&mutex);
    *sched_note(0) = 1;
}

// A counter in a plain variable is not seen; there are two bounds, in rounds and in time, below which nobody judges.
static void sleep_in_a_loop(void)
{
    for (int i = 0; i < limit; i++) {
        nanosleep(&(struct timespec){0, 500 * MS}, NULL);
    }
    *sched_note(0) = 1;
}

static void test_counted_slices_pass(void **state)
{
    (void)state;
    limit = 5000;
    assert_int_equal(sched_run_default(count_slices)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
    limit = 500;
    assert_int_equal(sched_run_default(sleep_in_a_loop)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
    assert_int_equal(sched_explore(sleep_in_a_loop, CX_STRATEGY_RANDOM, 3).of[CX_OUTCOME_PASS], 3);
}

static void poll_for_nothing(void)
{
    struct timespec before;
    struct timespec after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    SCHED_CHECK(poll(NULL, 0, 60000) == 0);
    clock_gettime(CLOCK_MONOTONIC, &after);
    SCHED_CHECK(after.tv_sec - before.tv_sec >= 60 && after.tv_sec - before.tv_sec < 62);
    struct timeval hour = {3600, 0};
    SCHED_CHECK(select(0, NULL, NULL, NULL, &hour) == 0);
    clock_gettime(CLOCK_MONOTONIC, &before);
    SCHED_CHECK(before.tv_sec - after.tv_sec >= 3600 && before.tv_sec - after.tv_sec < 3610);
    SCHED_CHECK(poll(NULL, 0, 0) == 0);
    errno = 0;
    SCHED_CHECK(select(0, NULL, NULL, NULL, &(struct timeval){-1, 0}) == -1 && errno == EINVAL);
    *sched_note(0) = 1;
}

static void *poll_for_a_minute(void *unused)
{
    SCHED_CHECK(poll(NULL, 0, 61000) == 0);
    return unused;
}

static void two_poll_for_nothing(void)
{
    pthread_t other = sched_spawn(poll_for_a_minute, NULL);
    SCHED_CHECK(poll(NULL, 0, 60000) == 0);
    sched_join(other);
    *sched_note(0) = 1;
}

// A long timeout on nothing is a sleep, however finely it is cut into looks.
static void test_poll_with_a_timeout_ends(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(poll_for_nothing)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
    assert_int_equal(sched_run_default(two_poll_for_nothing)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
    assert_int_equal(sched_explore(two_poll_for_nothing, CX_STRATEGY_RANDOM, 5).of[CX_OUTCOME_PASS], 5);
}

static void poll_for_ever(void)
{
    poll(NULL, 0, -1);
}

static void select_for_ever(void)
{
    select(0, NULL, NULL, NULL, NULL);
}

static void test_poll_without_a_timeout_is_a_deadlock(void **state)
{
    (void)state;
    static void (*const bodies[])(void) = {poll_for_ever, select_for_ever};
    for (int i = 0; i < 2; i++) {
        const struct cx_result *result = sched_run_default(bodies[i]);
        assert_int_equal(result->outcome, CX_OUTCOME_DEADLOCK);
        assert_int_equal(result->threads[0].op, CX_OP_POLL);
    }
}

static int ends[2];

static void *write_later(void *unused)
{
    nanosleep(&(struct timespec){5, 0}, NULL);
    SCHED_CHECK(write(ends[1], "x", 1) == 1);
    return unused;
}

// What another controlled thread writes to a pipe is seen, under a finite timeout and under none; a schedule may let
// the finite one end first, as any timed wait.
static void poll_a_pipe(void)
{
    char byte = 0;
    SCHED_CHECK(pipe(ends) == 0);
    struct pollfd descriptor = {.fd = ends[0], .events = POLLIN};
    SCHED_CHECK(poll(&descriptor, 1, 10) == 0 && descriptor.revents == 0);
    for (int timeout_ms = -1; timeout_ms <= 3600000; timeout_ms += 3600001) {
        pthread_t other = sched_spawn(write_later, NULL);
        int ready = poll(&descriptor, 1, timeout_ms);
        SCHED_CHECK((ready == 1 && descriptor.revents == POLLIN) || (ready == 0 && timeout_ms > 0));
        SCHED_CHECK(read(ends[0], &byte, 1) == 1 && byte == 'x');
        sched_join(other);
    }
    pthread_t other = sched_spawn(write_later, NULL);
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(ends[0], &readable);
    SCHED_CHECK(select(ends[0] + 1, &readable, NULL, NULL, NULL) == 1 && FD_ISSET(ends[0], &readable));
    sched_join(other);
    SCHED_CHECK(select(ends[0] + 1, &readable, NULL, NULL, &(struct timeval){1, 0}) == 1);
    SCHED_CHECK(read(ends[0], &byte, 1) == 1);
    SCHED_CHECK(select(ends[0] + 1, &readable, NULL, NULL, &(struct timeval){1, 0}) == 0);
    SCHED_CHECK(!FD_ISSET(ends[0], &readable));
    *sched_note(0) = 1;
}

static void test_poll_sees_what_other_threads_write(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(poll_a_pipe)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
    assert_int_equal(sched_explore(poll_a_pipe, CX_STRATEGY_RANDOM, 5).of[CX_OUTCOME_PASS], 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deadlock_behind_a_poller_is_found),
        cmocka_unit_test(test_deadlock_behind_pollers_of_different_slices_is_found),
        cmocka_unit_test(test_deadlock_behind_a_poller_replays),
        cmocka_unit_test(test_pollers_that_are_let_go_later_pass),
        cmocka_unit_test(test_counted_slices_pass),
        cmocka_unit_test(test_poll_with_a_timeout_ends),
        cmocka_unit_test(test_poll_without_a_timeout_is_a_deadlock),
        cmocka_unit_test(test_poll_sees_what_other_threads_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
