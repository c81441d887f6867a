// SPDX-License-Identifier: Apache-2.0
//
// Every timed wait that names its clock: both clocks that libc knows time out when they should, any other is EINVAL,
// as libc has it.
#include "harness/tests/sched_case.h"

#include <errno.h>
#include <semaphore.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static sem_t semaphore;
static pthread_t sleeper;

static void *sleep_long(void *unused)
{
    sleep(1000);
    return unused;
}

static int sem_error(clockid_t clock, const struct timespec *when)
{
    return sem_clockwait(&semaphore, clock, when) == 0 ? 0 : errno;
}

// What each wait says; all locks are held by somebody else.
static void *wait_in_each(void *argument)
{
    clockid_t clock = (clockid_t)(intptr_t)argument;
    int known = clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC;
    int wanted = known ? ETIMEDOUT : EINVAL;
    struct timespec begin;
    struct timespec end;
    clock_gettime(known ? clock : CLOCK_MONOTONIC, &begin);
    struct timespec when = {.tv_sec = begin.tv_sec + 3, .tv_nsec = begin.tv_nsec};
    SCHED_CHECK(pthread_mutex_clocklock(&mutex, clock, &when) == wanted);
    SCHED_CHECK(pthread_rwlock_clockrdlock(&rwlock, clock, &when) == wanted);
    SCHED_CHECK(pthread_rwlock_clockwrlock(&rwlock, clock, &when) == wanted);
    SCHED_CHECK(sem_error(clock, &when) == wanted);
    SCHED_CHECK(pthread_clockjoin_np(sleeper, NULL, clock, &when) == wanted);
    pthread_mutex_lock(&other);
    SCHED_CHECK(pthread_cond_clockwait(&condition, &other, clock, &when) == wanted);
    pthread_mutex_unlock(&other);
    clock_gettime(known ? clock : CLOCK_MONOTONIC, &end);
    SCHED_CHECK((end.tv_sec - begin.tv_sec >= 3) == known);
    return NULL;
}

static void each_clock(void)
{
    pthread_mutex_lock(&mutex);
    pthread_rwlock_wrlock(&rwlock);
    sleeper = sched_spawn(sleep_long, NULL);
    const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, 4711};
    for (int i = 0; i < 4; i++) {
        sched_join(sched_spawn(wait_in_each, (void *)(intptr_t)clocks[i]));
        *sched_note(0) += 1;
    }
}

static void test_two_clocks_time_out_and_others_are_refused(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(each_clock);
    assert_string_equal(result->message, "");
    assert_int_equal(result->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_clocks_time_out_and_others_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
