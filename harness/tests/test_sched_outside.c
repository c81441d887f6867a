// SPDX-License-Identifier: Apache-2.0
//
// The edge of control, as docs/determinism.md states it: handlers for faults, descriptors of signals, the masks of
// waits, signals from another process, and child processes that have real clocks.
#include "harness/tests/sched_case.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/interpose/clock.h"

#define RUNS 100

static volatile sig_atomic_t came;
static sigjmp_buf way_out;

static void count_it(int number)
{
    (void)number;
    came++;
}

static void jump_out(int number)
{
    siglongjmp(way_out, number);
}

static void *touch_what_is_not_there(void *page)
{
    int number = sigsetjmp(way_out, 1);
    if (number == 0) {
        *sched_note(1) = *(volatile unsigned char *)page;
    }
    *sched_note(0) = (uint64_t)number;
    return page;
}

static void fault_that_the_program_expects(void)
{
    void *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SCHED_CHECK(page != MAP_FAILED);
    sched_handle(SIGSEGV, jump_out, 0);
    sched_join(sched_spawn(touch_what_is_not_there, page));
    SCHED_CHECK(*sched_note(0) == SIGSEGV);
}

static void fault_that_nobody_expects(void)
{
    sched_handle(SIGSEGV, SIG_DFL, 0);
    void *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *sched_note(1) = *(volatile unsigned char *)page;
}

static void test_handlers_for_faults_are_the_programs(void **state)
{
    (void)state;
    assert_int_equal(sched_explore(fault_that_the_program_expects, CX_STRATEGY_RANDOM, RUNS).of[CX_OUTCOME_PASS], RUNS);
    assert_int_equal(*sched_note(0), SIGSEGV);
    assert_int_equal(sched_run_default(fault_that_nobody_expects)->outcome, CX_OUTCOME_CRASH);
}

static sigset_t only(int number)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    return set;
}

static void *send(void *thread)
{
    SCHED_CHECK(pthread_kill(*(pthread_t *)thread, SIGUSR1) == 0);
    return NULL;
}

// The signal is for main, which blocks it: it stays in the kernel, where the descriptor finds it.
static void descriptor_of_a_signal(void)
{
    pthread_t self = pthread_self();
    sigset_t set = only(SIGUSR1);
    SCHED_CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    struct pollfd descriptor = {.fd = signalfd(-1, &set, 0), .events = POLLIN};
    pthread_t sender = sched_spawn(send, &self);
    SCHED_CHECK(poll(&descriptor, 1, -1) == 1 && descriptor.revents == POLLIN);
    struct signalfd_siginfo info;
    SCHED_CHECK(read(descriptor.fd, &info, sizeof(info)) == (ssize_t)sizeof(info) && info.ssi_signo == SIGUSR1);
    sched_join(sender);
}

static void test_a_descriptor_of_signals_is_polled(void **state)
{
    (void)state;
    struct sched_counts counts = sched_explore(descriptor_of_a_signal, CX_STRATEGY_RANDOM, RUNS);
    assert_string_equal(sched_channel()->result.message, "");
    assert_int_equal(counts.of[CX_OUTCOME_PASS], RUNS);
}

static int wait_by_ppoll(const sigset_t *mask)
{
    struct timespec timeout = {.tv_sec = 1};
    return ppoll(NULL, 0, &timeout, mask);
}

static int wait_by_pselect(const sigset_t *mask)
{
    struct timespec timeout = {.tv_sec = 1};
    return pselect(0, NULL, NULL, NULL, &timeout, mask);
}

static int wait_by_epoll(const sigset_t *mask)
{
    struct epoll_event event;
    int instance = epoll_create1(0);
    int ready = epoll_pwait(instance, &event, 1, 1000, mask);
    close(instance);
    return ready;
}

static int (*wait_with_mask)(const sigset_t *);

// On Linux each wait would end with EINTR. Here the mask of the thread holds, and the signal comes after it.
static void masked_wait(void)
{
    pthread_t self = pthread_self();
    sigset_t set = only(SIGUSR1);
    sigset_t none;
    sigemptyset(&none);
    sched_handle(SIGUSR1, count_it, 0);
    SCHED_CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    pthread_t sender = sched_spawn(send, &self);
    SCHED_CHECK(wait_with_mask(&none) == 0 && came == 0);
    sched_join(sender);
    SCHED_CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
    SCHED_CHECK(came == 1);
}

static void test_masks_of_waits_are_not_put_in_place(void **state)
{
    (void)state;
    int (*const waits[])(const sigset_t *) = {wait_by_ppoll, wait_by_pselect, wait_by_epoll};
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        wait_with_mask = waits[i];
        struct sched_counts counts = sched_explore(masked_wait, CX_STRATEGY_RANDOM, RUNS);
        assert_string_equal(sched_channel()->result.message, "");
        assert_int_equal(counts.of[CX_OUTCOME_PASS], RUNS);
    }
}

static void signal_of_a_child(void)
{
    sched_handle(SIGUSR1, count_it, 0);
    pid_t child = fork();
    if (child == 0) {
        kill(getppid(), SIGUSR1);
        _exit(0);
    }
    int status = -1;
    while (waitpid(child, &status, 0) < 0) {
        SCHED_CHECK(errno == EINTR);
    }
    usleep(1);
    SCHED_CHECK(status == 0 && came == 1);
}

static void test_a_signal_from_outside_comes_at_a_point_and_is_said(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(signal_of_a_child);
    assert_string_equal(result->message, "");
    assert_int_equal(result->outcome, CX_OUTCOME_PASS);
    assert_non_null(strstr(result->uncontrolled, "; a signal from outside"));
}

// Lower bounds of real time hold on the busiest machine; the upper one is a hundredth of what the sleep asks for.
static void sleep_while_a_child_works(void)
{
    int ends[2];
    char byte = 'x';
    SCHED_CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        _exit(read(ends[0], &byte, 1) == 1 ? 0 : 1);
    }
    uint64_t begin_ns = cx_clock_wall_ns();
    usleep(200000);
    *sched_note(0) = cx_clock_wall_ns() - begin_ns;
    sleep(100000);
    *sched_note(1) = cx_clock_wall_ns() - begin_ns;
    SCHED_CHECK(write(ends[1], &byte, 1) == 1);
    int status = -1;
    SCHED_CHECK(waitpid(child, &status, 0) == child && status == 0);
    begin_ns = cx_clock_wall_ns();
    sleep(100000);
    *sched_note(2) = cx_clock_wall_ns() - begin_ns;
}

static void test_time_does_not_run_away_from_a_child(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(sleep_while_a_child_works);
    assert_string_equal(result->message, "");
    assert_int_equal(result->outcome, CX_OUTCOME_PASS);
    assert_true(*sched_note(0) >= 200000000);
    assert_true(*sched_note(1) >= 3000000000);
    assert_true(*sched_note(1) < 1000000000000);
    assert_true(*sched_note(2) < 1000000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handlers_for_faults_are_the_programs),
        cmocka_unit_test(test_a_descriptor_of_signals_is_polled),
        cmocka_unit_test(test_masks_of_waits_are_not_put_in_place),
        cmocka_unit_test(test_a_signal_from_outside_comes_at_a_point_and_is_said),
        cmocka_unit_test(test_time_does_not_run_away_from_a_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
