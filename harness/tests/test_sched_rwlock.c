// SPDX-License-Identifier: Apache-2.0
//
// Read-write locks under control: all forms, writer against readers, timed.
#include "harness/tests/sched_case.h"

#include <errno.h>
#include <time.h>

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static int readers;
static int writers;
static int value;

static void *read_once(void *unused)
{
    SCHED_CHECK(pthread_rwlock_rdlock(&lock) == 0);
    int beside = __atomic_add_fetch(&readers, 1, __ATOMIC_SEQ_CST);
    SCHED_CHECK(__atomic_load_n(&writers, __ATOMIC_SEQ_CST) == 0);
    if ((uint64_t)beside > *sched_note(0)) {
        *sched_note(0) = (uint64_t)beside;
    }
    __atomic_sub_fetch(&readers, 1, __ATOMIC_SEQ_CST);
    SCHED_CHECK(pthread_rwlock_unlock(&lock) == 0);
    return unused;
}

static void *write_once(void *unused)
{
    SCHED_CHECK(pthread_rwlock_wrlock(&lock) == 0);
    SCHED_CHECK(__atomic_add_fetch(&writers, 1, __ATOMIC_SEQ_CST) == 1);
    SCHED_CHECK(__atomic_load_n(&readers, __ATOMIC_SEQ_CST) == 0);
    value++;
    __atomic_sub_fetch(&writers, 1, __ATOMIC_SEQ_CST);
    SCHED_CHECK(pthread_rwlock_unlock(&lock) == 0);
    return unused;
}

static void readers_and_writers(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        threads[i] = sched_spawn(i < 2 ? read_once : write_once, NULL);
    }
    for (int i = 0; i < 4; i++) {
        sched_join(threads[i]);
    }
    SCHED_CHECK(value == 2);
    *sched_note(1) = 1;
}

static void test_writers_exclude_and_readers_share(void **state)
{
    (void)state;
    uint64_t beside_max = 0;
    for (uint32_t seed = 1; seed <= 200; seed++) {
        struct cx_request request = {
            .strategy = seed % 2 ? CX_STRATEGY_RANDOM : CX_STRATEGY_PCT,
            .seed = seed,
            .pct_depth = 3,
            .choices_expected = 30,
        };
        assert_int_equal(sched_run(readers_and_writers, &request)->outcome, CX_OUTCOME_PASS);
        assert_int_equal(*sched_note(1), 1);
        beside_max = *sched_note(0) > beside_max ? *sched_note(0) : beside_max;
    }
    assert_int_equal(beside_max, 2);
}

static void *add_under_read_lock(void *unused)
{
    pthread_rwlock_rdlock(&lock);
    int seen = __atomic_load_n(&value, __ATOMIC_ACQUIRE);
    __atomic_store_n(&value, seen + 1, __ATOMIC_RELEASE);
    pthread_rwlock_unlock(&lock);
    return unused;
}

static void *add_under_write_lock(void *unused)
{
    pthread_rwlock_wrlock(&lock);
    int seen = __atomic_load_n(&value, __ATOMIC_ACQUIRE);
    __atomic_store_n(&value, seen + 1, __ATOMIC_RELEASE);
    pthread_rwlock_unlock(&lock);
    return unused;
}

static void two_adders(void *(*add)(void *))
{
    pthread_t first = sched_spawn(add, NULL);
    pthread_t second = sched_spawn(add, NULL);
    sched_join(first);
    sched_join(second);
    SCHED_CHECK(value == 2);
    *sched_note(1) = 1;
}

// Both readers see 0 before either stores 1.
static void lost_update(void)
{
    two_adders(add_under_read_lock);
}

static void no_lost_update(void)
{
    two_adders(add_under_write_lock);
}

static void test_update_under_read_lock_is_lost(void **state)
{
    (void)state;
    struct sched_counts counts = sched_explore(lost_update, CX_STRATEGY_RANDOM, 150);
    assert_true(counts.of[CX_OUTCOME_INVARIANT] > 0);
    assert_int_equal(counts.of[CX_OUTCOME_INVARIANT] + counts.of[CX_OUTCOME_PASS], 150);
    assert_int_equal(sched_explore(no_lost_update, CX_STRATEGY_RANDOM, 150).of[CX_OUTCOME_PASS], 150);
    assert_int_equal(*sched_note(1), 1);
}

static void *upgrade(void *unused)
{
    pthread_rwlock_rdlock(&lock);
    pthread_rwlock_wrlock(&lock);
    return unused;
}

static void self_upgrade(void)
{
    upgrade(NULL);
}

static void *write_then_read(void *unused)
{
    SCHED_CHECK(pthread_rwlock_wrlock(&lock) == 0);
    SCHED_CHECK(pthread_rwlock_rdlock(&lock) == EDEADLK);
    SCHED_CHECK(pthread_rwlock_wrlock(&lock) == EDEADLK);
    SCHED_CHECK(pthread_rwlock_tryrdlock(&lock) == EBUSY);
    SCHED_CHECK(pthread_rwlock_trywrlock(&lock) == EBUSY);
    SCHED_CHECK(pthread_rwlock_unlock(&lock) == 0);
    return unused;
}

static void own_write_lock(void)
{
    write_then_read(NULL);
    sched_join(sched_spawn(write_then_read, NULL));
    *sched_note(0) = 1;
}

static void test_own_lock_again(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(self_upgrade);
    assert_int_equal(result->outcome, CX_OUTCOME_DEADLOCK);
    assert_int_equal(result->threads[0].op, CX_OP_RWLOCK_WRLOCK);
    assert_int_equal(sched_run_default(own_write_lock)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static int hold_for_writing;

// Holds the lock until main opens the gate.
static void *hold(void *unused)
{
    SCHED_CHECK((hold_for_writing ? pthread_rwlock_wrlock(&lock) : pthread_rwlock_rdlock(&lock)) == 0);
    __atomic_store_n(&readers, 1, __ATOMIC_RELEASE);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    SCHED_CHECK(pthread_rwlock_unlock(&lock) == 0);
    return unused;
}

static pthread_t begin_hold(void)
{
    pthread_mutex_lock(&gate);
    pthread_t thread = sched_spawn(hold, NULL);
    while (!__atomic_load_n(&readers, __ATOMIC_ACQUIRE)) {
        sched_yield();
    }
    return thread;
}

static void in_one_second(clockid_t clock, struct timespec *out)
{
    clock_gettime(clock, out);
    out->tv_sec++;
}

static int reached(clockid_t clock, const struct timespec *deadline)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec > deadline->tv_sec || (now.tv_sec == deadline->tv_sec && now.tv_nsec >= deadline->tv_nsec);
}

static int timed_read(clockid_t clock, const struct timespec *deadline)
{
    return clock == CLOCK_REALTIME ? pthread_rwlock_timedrdlock(&lock, deadline)
                                   : pthread_rwlock_clockrdlock(&lock, clock, deadline);
}

static int timed_write(clockid_t clock, const struct timespec *deadline)
{
    return clock == CLOCK_REALTIME ? pthread_rwlock_timedwrlock(&lock, deadline)
                                   : pthread_rwlock_clockwrlock(&lock, clock, deadline);
}

// While another thread holds the lock: tries fail at once, timed forms at their deadline, unless two readers share.
static void beside_a_holder(void)
{
    static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC};
    pthread_t thread = begin_hold();
    int read_error = hold_for_writing ? EBUSY : 0;
    SCHED_CHECK(pthread_rwlock_trywrlock(&lock) == EBUSY);
    SCHED_CHECK(pthread_rwlock_tryrdlock(&lock) == read_error);
    if (read_error == 0) {
        pthread_rwlock_unlock(&lock);
    }
    for (int i = 0; i < 2; i++) {
        struct timespec deadline;
        in_one_second(clocks[i], &deadline);
        SCHED_CHECK(timed_write(clocks[i], &deadline) == ETIMEDOUT && reached(clocks[i], &deadline));
        in_one_second(clocks[i], &deadline);
        int error = timed_read(clocks[i], &deadline);
        SCHED_CHECK(error == (hold_for_writing ? ETIMEDOUT : 0));
        SCHED_CHECK(reached(clocks[i], &deadline) == hold_for_writing);
        if (error == 0) {
            pthread_rwlock_unlock(&lock);
        }
        deadline.tv_nsec = -1;
        SCHED_CHECK(timed_read(clocks[i], &deadline) == EINVAL);
        SCHED_CHECK(timed_write(clocks[i], &deadline) == EINVAL);
    }
    pthread_mutex_unlock(&gate);
    sched_join(thread);
    SCHED_CHECK(pthread_rwlock_trywrlock(&lock) == 0);
    SCHED_CHECK(pthread_rwlock_unlock(&lock) == 0);
    SCHED_CHECK(pthread_rwlock_tryrdlock(&lock) == 0);
    SCHED_CHECK(pthread_rwlock_tryrdlock(&lock) == 0);
    SCHED_CHECK(pthread_rwlock_unlock(&lock) == 0);
    SCHED_CHECK(pthread_rwlock_trywrlock(&lock) == EBUSY);
    *sched_note(0) = 1;
}

static void test_forms_beside_a_holder(void **state)
{
    (void)state;
    for (hold_for_writing = 0; hold_for_writing <= 1; hold_for_writing++) {
        assert_int_equal(sched_run_default(beside_a_holder)->outcome, CX_OUTCOME_PASS);
        assert_int_equal(*sched_note(0), 1);
    }
}

static void *hold_for_half_a_second(void *unused)
{
    pthread_rwlock_wrlock(&lock);
    nanosleep(&(struct timespec){0, 500000000}, NULL);
    pthread_rwlock_unlock(&lock);
    return unused;
}

// A second is allowed for a lock that is held for half of one.
static void timed(void)
{
    struct timespec deadline;
    pthread_t thread = sched_spawn(hold_for_half_a_second, NULL);
    sched_yield();
    in_one_second(CLOCK_MONOTONIC, &deadline);
    int error = timed_write(CLOCK_MONOTONIC, &deadline);
    SCHED_CHECK(error == 0 || (error == ETIMEDOUT && reached(CLOCK_MONOTONIC, &deadline)));
    if (error == 0) {
        pthread_rwlock_unlock(&lock);
    }
    sched_join(thread);
    *sched_note(0) = error == 0 ? 1 : 2;
}

static void test_timed_lock_goes_both_ways(void **state)
{
    (void)state;
    int seen[3] = {0};
    for (uint32_t seed = 1; seed <= 200; seed++) {
        struct cx_request request = {.strategy = CX_STRATEGY_RANDOM, .seed = seed, .choices_expected = 10};
        assert_int_equal(sched_run(timed, &request)->outcome, CX_OUTCOME_PASS);
        seen[*sched_note(0)]++;
    }
    assert_int_equal(seen[0], 0);
    assert_true(seen[1] > 0 && seen[2] > 0);
}

static void *write_and_keep(void *unused)
{
    pthread_rwlock_wrlock(&lock);
    return unused;
}

// The writer ends with the lock held: who waits for it waits for ever, and the report names the writer.
static void abandoned(void)
{
    sched_join(sched_spawn(write_and_keep, NULL));
    pthread_rwlock_rdlock(&lock);
}

static void test_deadlock_names_the_writer(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(abandoned);
    assert_int_equal(result->outcome, CX_OUTCOME_DEADLOCK);
    assert_int_equal(result->threads[0].op, CX_OP_RWLOCK_RDLOCK);
    assert_int_equal(result->threads[0].holder, cx_thread_key_from_path("main.1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writers_exclude_and_readers_share),
        cmocka_unit_test(test_update_under_read_lock_is_lost),
        cmocka_unit_test(test_own_lock_again),
        cmocka_unit_test(test_forms_beside_a_holder),
        cmocka_unit_test(test_timed_lock_goes_both_ways),
        cmocka_unit_test(test_deadlock_names_the_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
