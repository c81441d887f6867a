// SPDX-License-Identifier: Apache-2.0
//
// Virtual time and entropy: clocks that agree with what expires, sleeps that take no real time, random bytes that
// repeat. Sleeps here are the subject, never a means.
#include "harness/tests/sched_case.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/random.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define S 1000000000ULL

static uint64_t ns_of(const struct timespec *time)
{
    return (uint64_t)time->tv_sec * S + (uint64_t)time->tv_nsec;
}

static uint64_t now_ns(clockid_t clock)
{
    struct timespec now;
    SCHED_CHECK(clock_gettime(clock, &now) == 0);
    return ns_of(&now);
}

static struct timespec time_of(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / S), .tv_nsec = (long)(ns % S)};
}

static void clocks_agree(void)
{
    struct timeval of_day;
    uint64_t monotonic_ns = now_ns(CLOCK_MONOTONIC);
    uint64_t realtime_ns = now_ns(CLOCK_REALTIME);
    for (int i = 0; i < 1000; i++) {
        uint64_t next_ns = now_ns(CLOCK_MONOTONIC);
        SCHED_CHECK(next_ns > monotonic_ns);
        monotonic_ns = next_ns;
    }
    SCHED_CHECK(now_ns(CLOCK_REALTIME) > realtime_ns);
    // All faces of a clock tell the same time, to within the few points that lie between two looks.
    realtime_ns = now_ns(CLOCK_REALTIME);
    SCHED_CHECK(gettimeofday(&of_day, NULL) == 0);
    uint64_t of_day_ns = (uint64_t)of_day.tv_sec * S + (uint64_t)of_day.tv_usec * 1000;
    SCHED_CHECK(of_day_ns + 1000 > realtime_ns && of_day_ns < realtime_ns + 10000);
    time_t out = 0;
    time_t seconds = time(&out);
    SCHED_CHECK(seconds == out && (uint64_t)seconds == realtime_ns / S);
    SCHED_CHECK(time(NULL) == seconds);
    SCHED_CHECK(now_ns(CLOCK_MONOTONIC_COARSE) > monotonic_ns);
    SCHED_CHECK(now_ns(CLOCK_REALTIME_COARSE) > realtime_ns);
    *sched_note(0) = 1;
}

static void test_clocks_advance_and_agree(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(clocks_agree)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
}

static void sleep_by_all_means(void)
{
    struct timespec wanted = {3600, 500};
    uint64_t at_ns = now_ns(CLOCK_MONOTONIC);
    SCHED_CHECK(sleep(7200) == 0);
    SCHED_CHECK(now_ns(CLOCK_MONOTONIC) >= at_ns + 7200 * S);
    SCHED_CHECK(now_ns(CLOCK_MONOTONIC) < at_ns + 7201 * S);
    at_ns = now_ns(CLOCK_REALTIME);
    SCHED_CHECK(nanosleep(&wanted, NULL) == 0);
    SCHED_CHECK(now_ns(CLOCK_REALTIME) >= at_ns + ns_of(&wanted));
    at_ns = now_ns(CLOCK_REALTIME);
    SCHED_CHECK(usleep(999999) == 0);
    SCHED_CHECK(now_ns(CLOCK_REALTIME) >= at_ns + 999999000);
    at_ns = now_ns(CLOCK_MONOTONIC);
    SCHED_CHECK(clock_nanosleep(CLOCK_MONOTONIC, 0, &wanted, NULL) == 0);
    SCHED_CHECK(now_ns(CLOCK_MONOTONIC) >= at_ns + ns_of(&wanted));
    static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME};
    for (int i = 0; i < 2; i++) {
        uint64_t until_ns = now_ns(clocks[i]) + 86400 * S;
        wanted = time_of(until_ns);
        SCHED_CHECK(clock_nanosleep(clocks[i], TIMER_ABSTIME, &wanted, NULL) == 0);
        at_ns = now_ns(clocks[i]);
        SCHED_CHECK(at_ns >= until_ns && at_ns < until_ns + S);
        // A time that has passed is no wait at all.
        wanted = time_of(until_ns - 100 * S);
        SCHED_CHECK(clock_nanosleep(clocks[i], TIMER_ABSTIME, &wanted, NULL) == 0);
        SCHED_CHECK(now_ns(clocks[i]) < at_ns + S);
    }
    *sched_note(0) = 1;
}

static void test_sleeps_of_hours_take_no_real_time(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(sleep_by_all_means);
    assert_int_equal(result->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
    assert_true(result->time_ns >= (2 * 86400 + 7200) * S);
    assert_in_range(result->steps, 10, 1000);
}

static void *sleep_and_append(void *argument)
{
    uint64_t seconds = (uint64_t)(uintptr_t)argument;
    sleep((unsigned)seconds);
    uint64_t place = __atomic_fetch_add(sched_note(0), 1, __ATOMIC_SEQ_CST);
    *sched_note((uint32_t)place + 1) = seconds;
    return NULL;
}

static void sleepers_in_order(void)
{
    static const uintptr_t seconds[] = {30, 10, 50, 20, 40};
    pthread_t threads[5];
    for (int i = 0; i < 5; i++) {
        threads[i] = sched_spawn(sleep_and_append, (void *)seconds[i]);
    }
    for (int i = 0; i < 5; i++) {
        sched_join(threads[i]);
    }
}

// Sleepers wake in the order of their times, whatever the order in which they were made. Only the default order
// promises that: a thread whose sleep has ended may still be kept waiting by a schedule.
static void test_sleepers_wake_in_order_of_their_times(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(sleepers_in_order);
    assert_int_equal(result->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 5);
    for (uint32_t i = 1; i <= 5; i++) {
        assert_int_equal(*sched_note(i), 10 * i);
    }
    assert_true(result->time_ns >= 50 * S && result->time_ns < 51 * S);
}

static void *sleep_and_check(void *argument)
{
    uint64_t wanted_ns = (uint64_t)(uintptr_t)argument;
    struct timespec wanted = time_of(wanted_ns);
    uint64_t at_ns = now_ns(CLOCK_MONOTONIC);
    nanosleep(&wanted, NULL);
    SCHED_CHECK(now_ns(CLOCK_MONOTONIC) >= at_ns + wanted_ns);
    __atomic_fetch_add(sched_note(0), 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void several_sleepers(void)
{
    pthread_t threads[4];
    for (uintptr_t i = 0; i < 4; i++) {
        threads[i] = sched_spawn(sleep_and_check, (void *)((i + 1) * 700000));
    }
    for (int i = 0; i < 4; i++) {
        sched_join(threads[i]);
    }
}

// A sleep may end early as far as other threads are concerned; the sleeper's own clock never says so.
static void test_clock_agrees_with_expiry_in_every_schedule(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 100; seed++) {
        struct cx_request request = {
            .strategy = seed % 2 ? CX_STRATEGY_RANDOM : CX_STRATEGY_PCT,
            .seed = seed,
            .pct_depth = 3,
            .choices_expected = 30,
        };
        assert_int_equal(sched_run(several_sleepers, &request)->outcome, CX_OUTCOME_PASS);
        assert_int_equal(*sched_note(0), 4);
    }
}

static void *sleep_for_a_minute(void *unused)
{
    uint64_t at_ns = now_ns(CLOCK_MONOTONIC);
    sleep(60);
    SCHED_CHECK(now_ns(CLOCK_MONOTONIC) - at_ns >= 60000000000);
    return unused;
}

static void busy_beside_a_minute(void)
{
    static uint64_t word;
    pthread_t thread = sched_spawn(sleep_for_a_minute, NULL);
    uint64_t at_ns = now_ns(CLOCK_MONOTONIC);
    for (int i = 0; i < 200; i++) {
        __atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
    }
    *sched_note(0) = now_ns(CLOCK_MONOTONIC) - at_ns >= 60000000000;
    sched_join(thread);
}

// How many of 200 runs let the minute pass while main could run.
static int minutes_cut_short(uint64_t early_ns_max)
{
    int cut = 0;
    for (uint32_t seed = 1; seed <= 200; seed++) {
        struct cx_request request = {
            .strategy = seed % 2 ? CX_STRATEGY_RANDOM : CX_STRATEGY_PCT,
            .seed = seed,
            .pct_depth = 3,
            .choices_expected = 30,
            .rules = {.early_ns_max = early_ns_max},
        };
        assert_int_equal(sched_run(busy_beside_a_minute, &request)->outcome, CX_OUTCOME_PASS);
        cut += (int)*sched_note(0);
    }
    return cut;
}

static void test_long_waits_end_early_only_where_the_rules_say_so(void **state)
{
    (void)state;
    assert_int_equal(minutes_cut_short(0), 0);
    assert_true(minutes_cut_short(3600000000000) > 0);
}

static uint64_t flag;

static void *raise_flag(void *unused)
{
    sleep(5);
    __atomic_store_n(&flag, 1, __ATOMIC_RELEASE);
    return unused;
}

// A run that is busy passes time, too: after enough points the sleeper is up, without a leap.
static void busy_beside_a_sleeper(void)
{
    struct timespec wanted = {0, 1000000};
    pthread_t thread = sched_spawn(raise_flag, NULL);
    uint64_t at_ns = now_ns(CLOCK_MONOTONIC);
    for (int i = 0; i < 10000; i++) {
        __atomic_fetch_add(&flag, 0x100, __ATOMIC_SEQ_CST);
    }
    uint64_t passed_ns = now_ns(CLOCK_MONOTONIC) - at_ns;
    SCHED_CHECK(passed_ns >= 1000000 && passed_ns < 10000000);
    nanosleep(&wanted, NULL);
    SCHED_CHECK((__atomic_load_n(&flag, __ATOMIC_ACQUIRE) & 1) == 0);
    sched_join(thread);
    SCHED_CHECK((flag & 1) == 1);
    *sched_note(0) = 1;
}

static void test_points_pass_time(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(busy_beside_a_sleeper)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
}

static void invalid_times(void)
{
    static const struct timespec invalid[] = {{0, -1}, {0, 1000000000}, {-1, 0}};
    for (int i = 0; i < 3; i++) {
        errno = 0;
        SCHED_CHECK(nanosleep(&invalid[i], NULL) == -1 && errno == EINVAL);
        SCHED_CHECK(clock_nanosleep(CLOCK_MONOTONIC, 0, &invalid[i], NULL) == EINVAL);
    }
    SCHED_CHECK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &invalid[1], NULL) == EINVAL);
    SCHED_CHECK(clock_nanosleep(-1, 0, &(struct timespec){0, 1}, NULL) == EINVAL);
    struct timespec now;
    errno = 0;
    SCHED_CHECK(clock_gettime(-1, &now) == -1 && errno == EINVAL);
    SCHED_CHECK(nanosleep(&(struct timespec){0, 0}, NULL) == 0);
    *sched_note(0) = 1;
}

static void test_invalid_times_are_errors(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(invalid_times)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
}

static void *sleep_for_ever(void *unused)
{
    nanosleep(&(struct timespec){LONG_MAX, 999999999}, NULL);
    SCHED_CHECK(!"slept for ever");
    return unused;
}

// The longest sleep that can be asked for is for ever, not for whatever an overflow leaves of it.
static void beside_an_endless_sleep(void)
{
    sched_spawn(sleep_for_ever, NULL);
    sleep(1000000);
    *sched_note(0) = 1;
}

static void join_an_endless_sleep(void)
{
    sched_join(sched_spawn(sleep_for_ever, NULL));
}

static void test_longest_sleep_is_for_ever(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(beside_an_endless_sleep)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
    assert_int_equal(sched_run_default(join_an_endless_sleep)->outcome, CX_OUTCOME_DEADLOCK);
}

static void draw_bytes(void)
{
    unsigned char bytes[8 * 8 + 8] = {0};
    SCHED_CHECK(getrandom(bytes, 33, 0) == 33);
    SCHED_CHECK(bytes[33] == 0);
    SCHED_CHECK(getentropy(bytes + 40, 32) == 0);
    errno = 0;
    SCHED_CHECK(getentropy(bytes, 257) == -1 && errno == EIO);
    memcpy(sched_note(0), bytes, sizeof(bytes));
}

static void test_random_bytes_repeat(void **state)
{
    (void)state;
    uint64_t words[9];
    for (uint32_t seed = 1; seed <= 5; seed++) {
        struct cx_request request = {.strategy = CX_STRATEGY_RANDOM, .seed = seed};
        assert_int_equal(sched_run(draw_bytes, &request)->outcome, CX_OUTCOME_PASS);
        if (seed > 1) {
            assert_memory_equal(words, sched_note(0), sizeof(words));
        }
        memcpy(words, sched_note(0), sizeof(words));
    }
    assert_true(words[0] != 0 && words[0] != words[1] && words[5] != words[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clocks_advance_and_agree),
        cmocka_unit_test(test_sleeps_of_hours_take_no_real_time),
        cmocka_unit_test(test_sleepers_wake_in_order_of_their_times),
        cmocka_unit_test(test_clock_agrees_with_expiry_in_every_schedule),
        cmocka_unit_test(test_long_waits_end_early_only_where_the_rules_say_so),
        cmocka_unit_test(test_points_pass_time),
        cmocka_unit_test(test_invalid_times_are_errors),
        cmocka_unit_test(test_longest_sleep_is_for_ever),
        cmocka_unit_test(test_random_bytes_repeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
