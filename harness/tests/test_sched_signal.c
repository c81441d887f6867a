// SPDX-License-Identifier: Apache-2.0
//
// Signals under control: they reach their thread at a point, end what a signal ends, and come in virtual time.
#include "harness/tests/sched_case.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t came;
static pthread_t taken_by;
static int last_value;

static void count_it(int number)
{
    (void)number;
    taken_by = pthread_self();
    came++;
}

static void keep_value(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    last_value = info->si_value.sival_int;
    came++;
}

// The handler adds to a plain counter that its thread adds to as well: a race between a thread and itself.
static int plain;
static int word;

static void add_in_handler(int number)
{
    (void)number;
    plain++;
}

static void *add_slowly(void *unused)
{
    int seen = plain;
    __atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
    plain = seen + 1;
    __atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
    return unused;
}

static void interrupted_addition(void)
{
    sched_handle(SIGUSR1, add_in_handler, 0);
    pthread_t thread = sched_spawn(add_slowly, NULL);
    pthread_kill(thread, SIGUSR1);
    sched_join(thread);
    *sched_note(0) = (uint64_t)plain;
    SCHED_CHECK(plain != 1);
}

static void test_handler_runs_at_points_of_its_thread(void **state)
{
    (void)state;
    const struct cx_result *result = sched_find(interrupted_addition, CX_STRATEGY_RANDOM, CX_OUTCOME_INVARIANT, 300);
    uint64_t fingerprint = result->fingerprint;
    assert_int_equal(*sched_note(0), 1);
    result = sched_replay(interrupted_addition, CX_MODE_LOG);
    assert_int_equal(result->outcome, CX_OUTCOME_INVARIANT);
    assert_true(result->fingerprint == fingerprint);
    struct sched_counts counts = sched_explore(interrupted_addition, CX_STRATEGY_RANDOM, 200);
    assert_true(counts.of[CX_OUTCOME_PASS] > 0);
    assert_int_equal(counts.of[CX_OUTCOME_PASS] + counts.of[CX_OUTCOME_INVARIANT], 200);
}

static sem_t never;

static void *wait_and_be_interrupted(void *unused)
{
    SCHED_CHECK(sem_wait(&never) == -1 && errno == EINTR);
    struct timespec left = {0, 0};
    struct timespec hour = {3600, 0};
    SCHED_CHECK(nanosleep(&hour, &left) == -1 && errno == EINTR);
    SCHED_CHECK(left.tv_sec > 0 && left.tv_sec <= 3600);
    return unused;
}

static void blocked_calls(void)
{
    sched_handle(SIGUSR1, count_it, 0);
    pthread_t thread = sched_spawn(wait_and_be_interrupted, NULL);
    while (came < 2) {
        int before = came;
        usleep(1000);
        pthread_kill(thread, SIGUSR1);
        while (came == before) {
            sched_yield();
        }
        SCHED_CHECK(pthread_equal(taken_by, thread));
    }
    sched_join(thread);
}

// In the default order each signal finds the thread blocked.
static void test_blocked_calls_end_with_eintr(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(blocked_calls);
    assert_string_equal(result->message, "");
    assert_int_equal(result->outcome, CX_OUTCOME_PASS);
}

static int pipe_ends[2];

static void *read_one(void *unused)
{
    char byte = 0;
    SCHED_CHECK(read(pipe_ends[0], &byte, 1) == 1 && byte == 'x');
    return unused;
}

static void restarted_read(void)
{
    sched_handle(SIGUSR1, count_it, SA_RESTART);
    SCHED_CHECK(pipe(pipe_ends) == 0);
    pthread_t thread = sched_spawn(read_one, NULL);
    usleep(1000);
    pthread_kill(thread, SIGUSR1);
    usleep(1000);
    SCHED_CHECK(write(pipe_ends[1], "x", 1) == 1);
    sched_join(thread);
    SCHED_CHECK(came == 1);
}

static void test_reads_go_on_where_the_handler_says_so(void **state)
{
    (void)state;
    assert_int_equal(sched_explore(restarted_read, CX_STRATEGY_RANDOM, 100).of[CX_OUTCOME_PASS], 100);
}

static void *wait_for_signals(void *set)
{
    siginfo_t info;
    int number = 0;
    SCHED_CHECK(sigwait(set, &number) == 0 && number == SIGUSR1);
    SCHED_CHECK(sigwaitinfo(set, &info) == SIGUSR2 && info.si_value.sival_int == 42);
    struct timespec second = {1, 0};
    SCHED_CHECK(sigtimedwait(set, &info, &second) == -1 && errno == EAGAIN);
    return NULL;
}

static void masked_and_waited_for(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_t thread = sched_spawn(wait_for_signals, &set);
    SCHED_CHECK(kill(getpid(), SIGUSR1) == 0);
    usleep(1000);
    SCHED_CHECK(pthread_sigqueue(thread, SIGUSR2, (union sigval){.sival_int = 42}) == 0);
    sched_join(thread);
}

static void test_sigwait_waits_in_the_scheduler(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(masked_and_waited_for)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(sched_replay(masked_and_waited_for, 0)->outcome, CX_OUTCOME_PASS);
}

static void wait_for_what_nobody_sends(void)
{
    sigset_t set;
    int number;
    sigfillset(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    sigwait(&set, &number);
}

static void test_sigwait_alone_is_a_deadlock(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(wait_for_what_nobody_sends);
    assert_int_equal(result->outcome, CX_OUTCOME_DEADLOCK);
    assert_int_equal(result->threads[0].op, CX_OP_SIGNAL_WAIT);
}

static void *suspend_then_pause(void *unused)
{
    sigset_t none;
    sigemptyset(&none);
    SCHED_CHECK(sigsuspend(&none) == -1 && errno == EINTR && came == 1);
    SCHED_CHECK(pause() == -1 && errno == EINTR && came == 2);
    return unused;
}

static void suspended(void)
{
    sigset_t set;
    sched_handle(SIGUSR1, count_it, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_t thread = sched_spawn(suspend_then_pause, NULL);
    pthread_kill(thread, SIGUSR1); // may come before the wait: blocked until then
    while (came < 1) {
        sched_yield();
    }
    usleep(1000);
    sigset_t all;
    pthread_sigmask(SIG_SETMASK, NULL, &all);
    SCHED_CHECK(sigismember(&all, SIGUSR1) == 1);
    *sched_note(0) = 1;
}

static void test_sigsuspend_takes_what_was_blocked(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(suspended);
    assert_string_equal(result->message, "");
    assert_int_equal(result->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
}

static void *only_pause(void *unused)
{
    pause();
    return unused;
}

static void paused(void)
{
    sched_handle(SIGUSR1, count_it, 0);
    pthread_t thread = sched_spawn(only_pause, NULL);
    usleep(1000);
    pthread_kill(thread, SIGUSR1);
    sched_join(thread);
    SCHED_CHECK(came == 1);
}

static void test_a_signal_ends_a_pause(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(paused)->outcome, CX_OUTCOME_PASS);
}

static uint64_t monotonic_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec;
}

static void alarms(void)
{
    sched_handle(SIGALRM, count_it, 0);
    uint64_t begin_s = monotonic_s();
    SCHED_CHECK(alarm(1000) == 0);
    SCHED_CHECK(alarm(2000) >= 999);
    SCHED_CHECK(sleep(5000) > 2990);
    SCHED_CHECK(came == 1 && monotonic_s() - begin_s >= 2000);
    alarm(1000);
    SCHED_CHECK(alarm(0) > 0);
    SCHED_CHECK(sleep(3000) == 0 && came == 1);
}

static void test_alarms_come_in_virtual_time(void **state)
{
    (void)state;
    assert_int_equal(sched_explore(alarms, CX_STRATEGY_RANDOM, 20).of[CX_OUTCOME_PASS], 20);
}

static void *stay(void *unused)
{
    usleep(1000);
    return unused;
}

// Whose handler runs for a signal to the process is a choice.
static void to_the_process(void)
{
    struct sigaction wanted = {.sa_sigaction = keep_value, .sa_flags = SA_SIGINFO};
    sched_handle(SIGUSR1, count_it, 0);
    SCHED_CHECK(sigaction(SIGUSR2, &wanted, NULL) == 0);
    pthread_t thread = sched_spawn(stay, NULL);
    SCHED_CHECK(raise(SIGUSR1) == 0 && came == 1);
    SCHED_CHECK(kill(getpid(), SIGUSR1) == 0);
    SCHED_CHECK(sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = 7}) == 0);
    sched_join(thread);
    SCHED_CHECK(came == 3 && last_value == 7);
    SCHED_CHECK(pthread_equal(taken_by, pthread_self()));
}

static void test_who_takes_a_signal_for_the_process_is_a_choice(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(to_the_process)->outcome, CX_OUTCOME_PASS);
    sched_find(to_the_process, CX_STRATEGY_RANDOM, CX_OUTCOME_INVARIANT, 100);
    assert_int_equal(sched_replay(to_the_process, 0)->outcome, CX_OUTCOME_INVARIANT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handler_runs_at_points_of_its_thread),
        cmocka_unit_test(test_blocked_calls_end_with_eintr),
        cmocka_unit_test(test_reads_go_on_where_the_handler_says_so),
        cmocka_unit_test(test_sigwait_waits_in_the_scheduler),
        cmocka_unit_test(test_sigwait_alone_is_a_deadlock),
        cmocka_unit_test(test_sigsuspend_takes_what_was_blocked),
        cmocka_unit_test(test_a_signal_ends_a_pause),
        cmocka_unit_test(test_alarms_come_in_virtual_time),
        cmocka_unit_test(test_who_takes_a_signal_for_the_process_is_a_choice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
