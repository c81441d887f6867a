// SPDX-License-Identifier: Apache-2.0
//
// Condition variables under control: lost wake-ups, timed waits both ways, and who is woken.
#include "harness/tests/sched_case.h"

#include <errno.h>
#include <time.h>

#define WAITERS 3
#define CROWD 70 // more than fit into any small array

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int ready;
static int waiting;
static int woken;

static void *set_and_signal(void *unused)
{
    __atomic_store_n(&ready, 1, __ATOMIC_RELEASE);
    pthread_cond_signal(&condition);
    return unused;
}

// Lost wake-up: main finds the flag down, then the other thread raises it and signals nobody, then main waits.
static void flag_outside_mutex(void)
{
    pthread_t other = sched_spawn(set_and_signal, NULL);
    if (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE)) {
        pthread_mutex_lock(&mutex);
        SCHED_CHECK(pthread_cond_wait(&condition, &mutex) == 0);
        pthread_mutex_unlock(&mutex);
    }
    sched_join(other);
    *sched_note(0) = 1;
}

static void *set_and_signal_locked(void *unused)
{
    pthread_mutex_lock(&mutex);
    ready = 1;
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&mutex);
    return unused;
}

// The corrected twin.
static void flag_under_mutex(void)
{
    pthread_t other = sched_spawn(set_and_signal_locked, NULL);
    pthread_mutex_lock(&mutex);
    while (!ready) {
        SCHED_CHECK(pthread_cond_wait(&condition, &mutex) == 0);
    }
    pthread_mutex_unlock(&mutex);
    sched_join(other);
    *sched_note(0) = 1;
}

static void check_found_and_corrected(void (*wrong)(void), void (*right)(void), enum cx_outcome outcome, uint32_t runs)
{
    static const uint32_t strategies[] = {CX_STRATEGY_RANDOM, CX_STRATEGY_PCT};
    for (int i = 0; i < 2; i++) {
        struct sched_counts counts = sched_explore(wrong, strategies[i], runs);
        assert_true(counts.of[outcome] > 0);
        assert_true(counts.of[CX_OUTCOME_PASS] > 0);
        assert_int_equal(counts.of[outcome] + counts.of[CX_OUTCOME_PASS], runs);
        assert_int_equal(sched_explore(right, strategies[i], runs).of[CX_OUTCOME_PASS], runs);
        assert_int_equal(*sched_note(0), 1);
    }
}

static void test_lost_wakeup_is_found_and_corrected_twin_passes(void **state)
{
    (void)state;
    check_found_and_corrected(flag_outside_mutex, flag_under_mutex, CX_OUTCOME_DEADLOCK, 150);
}

static int items;

static void *take_with_if(void *unused)
{
    pthread_mutex_lock(&mutex);
    if (items == 0) {
        pthread_cond_wait(&condition, &mutex);
    }
    SCHED_CHECK(items > 0);
    items--;
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void *take_with_while(void *unused)
{
    pthread_mutex_lock(&mutex);
    while (items == 0) {
        pthread_cond_wait(&condition, &mutex);
    }
    SCHED_CHECK(items > 0);
    items--;
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void put(void)
{
    pthread_mutex_lock(&mutex);
    items++;
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&mutex);
}

static void two_takers(void *(*take)(void *))
{
    pthread_t first = sched_spawn(take, NULL);
    pthread_t second = sched_spawn(take, NULL);
    put();
    put();
    sched_join(first);
    sched_join(second);
    *sched_note(0) = items == 0;
}

// Stolen wake-up: one taker waits and is signalled, but the other comes by and takes the item before it runs.
static void stolen_wakeup(void)
{
    two_takers(take_with_if);
}

static void stolen_wakeup_checked_again(void)
{
    two_takers(take_with_while);
}

static void test_stolen_wakeup_is_found_and_corrected_twin_passes(void **state)
{
    (void)state;
    check_found_and_corrected(stolen_wakeup, stolen_wakeup_checked_again, CX_OUTCOME_INVARIANT, 500);
}

static void *wait_once(void *argument)
{
    pthread_mutex_lock(&mutex);
    waiting++;
    SCHED_CHECK(pthread_cond_wait(&condition, &mutex) == 0);
    woken++;
    if (*sched_note(0) == 0) {
        *sched_note(0) = (uint64_t)(uintptr_t)argument;
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void await_waiters(int count)
{
    for (;;) {
        pthread_mutex_lock(&mutex);
        int enough = waiting == count;
        pthread_mutex_unlock(&mutex);
        if (enough) {
            return;
        }
        sched_yield();
    }
}

// Three wait; one signal lets one go, notes its number, and a broadcast lets the others go.
static void signal_one_of_three(void)
{
    pthread_t threads[WAITERS];
    for (uintptr_t i = 0; i < WAITERS; i++) {
        threads[i] = sched_spawn(wait_once, (void *)(i + 1));
    }
    await_waiters(WAITERS);
    pthread_cond_signal(&condition);
    for (int done = 0; !done; sched_yield()) {
        pthread_mutex_lock(&mutex);
        done = woken > 0;
        SCHED_CHECK(woken <= 1);
        pthread_mutex_unlock(&mutex);
    }
    pthread_cond_broadcast(&condition);
    for (int i = 0; i < WAITERS; i++) {
        sched_join(threads[i]);
    }
    SCHED_CHECK(woken == WAITERS);
}

static int picks_in(const struct cx_channel *channel)
{
    int picks = 0;
    for (uint32_t i = 0; i < channel->result.deviations_count; i++) {
        picks += channel->deviations[i].kind == CX_DEVIATION_PICK;
    }
    return picks;
}

static void test_woken_thread_is_a_recorded_choice(void **state)
{
    (void)state;
    int seen[WAITERS + 1] = {0};
    int picked = 0;
    assert_int_equal(sched_run_default(signal_one_of_three)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
    for (uint32_t seed = 1; seed <= 60; seed++) {
        struct cx_request request = {.strategy = CX_STRATEGY_RANDOM, .seed = seed, .choices_expected = 60};
        assert_int_equal(sched_run(signal_one_of_three, &request)->outcome, CX_OUTCOME_PASS);
        uint64_t first = *sched_note(0);
        uint64_t fingerprint = sched_channel()->result.fingerprint;
        assert_in_range(first, 1, WAITERS);
        seen[first]++;
        picked += picks_in(sched_channel());
        assert_int_equal(sched_replay(signal_one_of_three, 0)->outcome, CX_OUTCOME_PASS);
        assert_int_equal(*sched_note(0), first);
        assert_true(sched_channel()->result.fingerprint == fingerprint);
    }
    assert_true(seen[1] > 0 && seen[2] > 0 && seen[3] > 0);
    assert_true(picked > 0);
}

static int turn = CROWD;

// The higher the number, the earlier it waits: order of arrival is the reverse of order of creation.
static void *wait_in_turn(void *argument)
{
    int number = (int)(uintptr_t)argument;
    pthread_mutex_lock(&mutex);
    while (turn != number) {
        pthread_mutex_unlock(&mutex);
        sched_yield();
        pthread_mutex_lock(&mutex);
    }
    turn--;
    pthread_mutex_unlock(&mutex);
    return wait_once(argument);
}

static void signal_one_of_many(void)
{
    pthread_t threads[CROWD];
    for (uintptr_t i = 0; i < CROWD; i++) {
        threads[i] = sched_spawn(wait_in_turn, (void *)(i + 1));
    }
    await_waiters(CROWD);
    for (int i = 0; i < CROWD; i++) {
        pthread_cond_signal(&condition);
    }
    for (int i = 0; i < CROWD; i++) {
        sched_join(threads[i]);
    }
    SCHED_CHECK(woken == CROWD);
}

static void *signal_then_note(void *unused)
{
    pthread_cond_signal(&condition);
    return unused;
}

// The last one made has waited longest: it is the one that a signal wakes, whatever the order of creation.
static void signal_longest_of_many(void)
{
    for (uintptr_t i = 0; i < CROWD; i++) {
        sched_spawn(wait_in_turn, (void *)(i + 1));
    }
    await_waiters(CROWD);
    sched_join(sched_spawn(signal_then_note, NULL));
    for (int done = 0; !done; sched_yield()) {
        pthread_mutex_lock(&mutex);
        done = woken > 0;
        pthread_mutex_unlock(&mutex);
    }
}

static void test_longest_waiting_is_woken_by_default(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(signal_longest_of_many)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), CROWD);
}

static void test_every_signal_wakes_one_of_a_crowd(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(signal_one_of_many)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(sched_explore(signal_one_of_many, CX_STRATEGY_RANDOM, 10).of[CX_OUTCOME_PASS], 10);
}

static void at_offset_ms(clockid_t clock, long ms, struct timespec *out)
{
    clock_gettime(clock, out);
    out->tv_sec += ms / 1000;
    out->tv_nsec += ms % 1000 * 1000000;
    if (out->tv_nsec >= 1000000000) {
        out->tv_sec++;
        out->tv_nsec -= 1000000000;
    }
}

static int is_before(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

enum timed_form { TIMED_REALTIME, TIMED_ATTRIBUTE, TIMED_CLOCK };
static enum timed_form form;

// The waiter allows a second; a wait that expires must find that its clock has passed the deadline.
static void timed_wait(void)
{
    clockid_t clock = form == TIMED_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
    struct timespec deadline;
    struct timespec now;
    if (form == TIMED_ATTRIBUTE) {
        pthread_condattr_t attributes;
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&condition, &attributes);
    }
    pthread_t other = sched_spawn(set_and_signal_locked, NULL);
    pthread_mutex_lock(&mutex);
    int error = 0;
    at_offset_ms(clock, 1000, &deadline);
    while (!ready && error == 0) {
        error = form == TIMED_CLOCK ? pthread_cond_clockwait(&condition, &mutex, clock, &deadline)
                                    : pthread_cond_timedwait(&condition, &mutex, &deadline);
    }
    SCHED_CHECK(error == 0 || error == ETIMEDOUT);
    SCHED_CHECK(ready || error == ETIMEDOUT);
    clock_gettime(clock, &now);
    SCHED_CHECK(error == 0 || !is_before(&now, &deadline));
    SCHED_CHECK(error != 0 || is_before(&now, &deadline));
    SCHED_CHECK(pthread_mutex_unlock(&mutex) == 0);
    sched_join(other);
    *sched_note(0) = error == 0 ? 1 : 2;
}

static void test_timed_waits_go_both_ways(void **state)
{
    (void)state;
    for (form = TIMED_REALTIME; form <= TIMED_CLOCK; form++) {
        int seen[3] = {0};
        for (uint32_t seed = 1; seed <= 200; seed++) {
            struct cx_request request = {.strategy = CX_STRATEGY_RANDOM, .seed = seed, .choices_expected = 12};
            assert_int_equal(sched_run(timed_wait, &request)->outcome, CX_OUTCOME_PASS);
            seen[*sched_note(0)]++;
        }
        assert_true(seen[1] > 0);
        assert_true(seen[2] > 0);
        assert_int_equal(seen[0], 0);
    }
}

// Nobody will signal: the wait ends by its deadline, in no real time.
static void timed_wait_alone(void)
{
    struct timespec deadline;
    struct timespec now;
    at_offset_ms(CLOCK_MONOTONIC, 3600 * 1000, &deadline);
    pthread_mutex_lock(&mutex);
    SCHED_CHECK(pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &deadline) == ETIMEDOUT);
    clock_gettime(CLOCK_MONOTONIC, &now);
    SCHED_CHECK(!is_before(&now, &deadline));
    // A deadline that has passed ends a wait at once, and so does one before the epoch.
    SCHED_CHECK(pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &deadline) == ETIMEDOUT);
    SCHED_CHECK(pthread_cond_timedwait(&condition, &mutex, &(struct timespec){-1, 0}) == ETIMEDOUT);
    SCHED_CHECK(pthread_mutex_unlock(&mutex) == 0);
    *sched_note(0) = 1;
}

static void test_wait_alone_ends_by_its_deadline(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(timed_wait_alone);
    assert_int_equal(result->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
    assert_true(result->time_ns >= 3600ULL * 1000000000ULL);
}

static void wrong_calls(void)
{
    struct timespec deadline = {0, 1000000000};
    pthread_mutexattr_t attributes;
    pthread_mutex_t checked;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&checked, &attributes);
    // Not the owner: no waiter afterwards either, or the signal below would be somebody's.
    SCHED_CHECK(pthread_cond_wait(&condition, &checked) == EPERM);
    SCHED_CHECK(pthread_cond_signal(&condition) == 0);
    SCHED_CHECK(pthread_mutex_lock(&checked) == 0);
    SCHED_CHECK(pthread_cond_timedwait(&condition, &checked, &deadline) == EINVAL);
    deadline.tv_nsec = -1;
    SCHED_CHECK(pthread_cond_clockwait(&condition, &checked, CLOCK_MONOTONIC, &deadline) == EINVAL);
    SCHED_CHECK(pthread_mutex_unlock(&checked) == 0);
    SCHED_CHECK(pthread_cond_broadcast(&condition) == 0);
    *sched_note(0) = 1;
}

static void test_wrong_calls_return_errors(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(wrong_calls)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
}

static void wait_for_nobody(void)
{
    pthread_mutex_lock(&mutex);
    pthread_cond_wait(&condition, &mutex);
}

static void test_wait_for_nobody_is_a_deadlock(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(wait_for_nobody);
    assert_int_equal(result->outcome, CX_OUTCOME_DEADLOCK);
    assert_int_equal(result->threads[0].op, CX_OP_COND_WAIT);
    assert_true(result->threads[0].object == (uint64_t)(uintptr_t)&condition);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lost_wakeup_is_found_and_corrected_twin_passes),
        cmocka_unit_test(test_stolen_wakeup_is_found_and_corrected_twin_passes),
        cmocka_unit_test(test_woken_thread_is_a_recorded_choice),
        cmocka_unit_test(test_longest_waiting_is_woken_by_default),
        cmocka_unit_test(test_every_signal_wakes_one_of_a_crowd),
        cmocka_unit_test(test_timed_waits_go_both_ways),
        cmocka_unit_test(test_wait_alone_ends_by_its_deadline),
        cmocka_unit_test(test_wrong_calls_return_errors),
        cmocka_unit_test(test_wait_for_nobody_is_a_deadlock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
