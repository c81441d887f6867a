// SPDX-License-Identifier: Apache-2.0
//
// Without control: in a process (or on a thread) that no run governs, every interposed function is libc's. Real time
// passes here, so waits are kept to milliseconds and nothing depends on how long they really take.
#include "harness/tests/sched_case.h"

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/host/run.h"
#include "harness/interpose/clock.h"
#include "harness/interpose/real.h"
#include "harness/sched/sched.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t semaphore;
static int ready;

static int use_real_clocks(void **state)
{
    (void)state;
    cx_clock_real = 1;
    return 0;
}

static struct timespec soon(clockid_t clock, long ms)
{
    struct timespec time;
    assert_int_equal(clock_gettime(clock, &time), 0);
    time.tv_nsec += ms * 1000000;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

static void *echo(void *argument)
{
    return argument;
}

static void *wait_for_semaphore(void *argument)
{
    sem_wait(&semaphore);
    return argument;
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t thread;
    void *result = NULL;
    sem_init(&semaphore, 0, 0);
    assert_int_equal(pthread_create(&thread, NULL, echo, (void *)3), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, (void *)3);

    assert_int_equal(pthread_create(&thread, NULL, wait_for_semaphore, (void *)4), 0);
    assert_int_equal(pthread_tryjoin_np(thread, &result), EBUSY);
    struct timespec deadline = soon(CLOCK_REALTIME, 5);
    assert_int_equal(pthread_timedjoin_np(thread, &result, &deadline), ETIMEDOUT);
    deadline = soon(CLOCK_MONOTONIC, 5);
    assert_int_equal(pthread_clockjoin_np(thread, &result, CLOCK_MONOTONIC, &deadline), ETIMEDOUT);
    assert_int_equal(sem_post(&semaphore), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, (void *)4);

    assert_int_equal(pthread_create(&thread, NULL, wait_for_semaphore, NULL), 0);
    assert_int_equal(pthread_detach(thread), 0);
    assert_int_equal(sem_post(&semaphore), 0);
}

static void *lock_and_hold(void *argument)
{
    pthread_mutex_lock(&mutex);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    pthread_mutex_unlock(&mutex);
    return argument;
}

static void test_mutexes(void **state)
{
    (void)state;
    pthread_t thread;
    assert_int_equal(pthread_barrier_init(&barrier, NULL, 2), 0);
    assert_int_equal(pthread_create(&thread, NULL, lock_and_hold, NULL), 0);
    int serial = pthread_barrier_wait(&barrier);
    assert_true(serial == 0 || serial == PTHREAD_BARRIER_SERIAL_THREAD);
    assert_int_equal(pthread_mutex_trylock(&mutex), EBUSY);
    struct timespec deadline = soon(CLOCK_REALTIME, 5);
    assert_int_equal(pthread_mutex_timedlock(&mutex, &deadline), ETIMEDOUT);
    deadline = soon(CLOCK_MONOTONIC, 5);
    assert_int_equal(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &deadline), ETIMEDOUT);
    pthread_barrier_wait(&barrier);
    assert_int_equal(pthread_mutex_lock(&mutex), 0);
    assert_int_equal(pthread_mutex_unlock(&mutex), 0);
    assert_int_equal(pthread_mutex_trylock(&mutex), 0);
    assert_int_equal(pthread_mutex_unlock(&mutex), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pthread_barrier_destroy(&barrier), 0);
}

static void *set_ready(void *argument)
{
    pthread_mutex_lock(&mutex);
    ready = 1;
    if (argument != NULL) {
        pthread_cond_broadcast(&condition);
    } else {
        pthread_cond_signal(&condition);
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void test_conditions(void **state)
{
    (void)state;
    pthread_t thread;
    pthread_mutex_lock(&mutex);
    struct timespec deadline = soon(CLOCK_REALTIME, 5);
    int error = 0;
    while (error == 0) {
        error = pthread_cond_timedwait(&condition, &mutex, &deadline);
    }
    assert_int_equal(error, ETIMEDOUT);
    deadline = soon(CLOCK_MONOTONIC, 5);
    error = 0;
    while (error == 0) {
        error = pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &deadline);
    }
    assert_int_equal(error, ETIMEDOUT);
    for (int broadcast = 0; broadcast <= 1; broadcast++) {
        ready = 0;
        assert_int_equal(pthread_create(&thread, NULL, set_ready, broadcast ? &ready : NULL), 0);
        while (!ready) {
            assert_int_equal(pthread_cond_wait(&condition, &mutex), 0);
        }
        pthread_mutex_unlock(&mutex);
        assert_int_equal(pthread_join(thread, NULL), 0);
        pthread_mutex_lock(&mutex);
    }
    pthread_mutex_unlock(&mutex);
}

static void test_rwlocks(void **state)
{
    (void)state;
    struct timespec real = soon(CLOCK_REALTIME, 5);
    struct timespec monotonic = soon(CLOCK_MONOTONIC, 5);
    assert_int_equal(pthread_rwlock_rdlock(&rwlock), 0);
    assert_int_equal(pthread_rwlock_tryrdlock(&rwlock), 0);
    assert_int_equal(pthread_rwlock_timedrdlock(&rwlock, &real), 0);
    assert_int_equal(pthread_rwlock_clockrdlock(&rwlock, CLOCK_MONOTONIC, &monotonic), 0);
    assert_int_equal(pthread_rwlock_trywrlock(&rwlock), EBUSY);
    assert_int_equal(pthread_rwlock_timedwrlock(&rwlock, &real), ETIMEDOUT);
    assert_int_equal(pthread_rwlock_clockwrlock(&rwlock, CLOCK_MONOTONIC, &monotonic), ETIMEDOUT);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_rwlock_unlock(&rwlock), 0);
    }
    assert_int_equal(pthread_rwlock_wrlock(&rwlock), 0);
    assert_int_equal(pthread_rwlock_unlock(&rwlock), 0);
}

static int once_runs;

static void once_routine(void)
{
    once_runs++;
}

static void test_semaphores_spinlocks_and_once(void **state)
{
    (void)state;
    pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_spinlock_t spin;
    sem_init(&semaphore, 0, 2);
    assert_int_equal(sem_wait(&semaphore), 0);
    assert_int_equal(sem_trywait(&semaphore), 0);
    assert_int_equal(sem_trywait(&semaphore), -1);
    assert_int_equal(errno, EAGAIN);
    struct timespec deadline = soon(CLOCK_REALTIME, 5);
    assert_int_equal(sem_timedwait(&semaphore, &deadline), -1);
    assert_int_equal(errno, ETIMEDOUT);
    deadline = soon(CLOCK_MONOTONIC, 5);
    assert_int_equal(sem_clockwait(&semaphore, CLOCK_MONOTONIC, &deadline), -1);
    assert_int_equal(errno, ETIMEDOUT);
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    assert_int_equal(pthread_spin_lock(&spin), 0);
    assert_int_equal(pthread_spin_trylock(&spin), EBUSY);
    assert_int_equal(pthread_spin_unlock(&spin), 0);
    assert_int_equal(pthread_once(&once, once_routine), 0);
    assert_int_equal(pthread_once(&once, once_routine), 0);
    assert_int_equal(once_runs, 1);
}

static void test_time(void **state)
{
    (void)state;
    struct timespec before;
    struct timespec after;
    struct timespec wanted = {0, 2000000};
    struct timeval of_day;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &before), 0);
    assert_int_equal(nanosleep(&wanted, NULL), 0);
    assert_int_equal(usleep(2000), 0);
    assert_int_equal(sleep(0), 0);
    assert_int_equal(clock_nanosleep(CLOCK_MONOTONIC, 0, &wanted, NULL), 0);
    assert_int_equal(poll(NULL, 0, 2), 0);
    assert_int_equal(select(0, NULL, NULL, NULL, &(struct timeval){0, 2000}), 0);
    assert_int_equal(sched_yield(), 0);
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &after), 0);
    int64_t passed_ns = (after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec;
    assert_true(passed_ns >= 10000000);
    time_t now = time(NULL);
    assert_int_equal(gettimeofday(&of_day, NULL), 0);
    assert_true(of_day.tv_sec >= now);
    assert_int_equal(clock_gettime(-1, &after), -1);
}

static void test_entropy_without_a_run(void **state)
{
    (void)state;
    uint64_t words[2] = {0, 0};
    assert_int_equal(getrandom(words, sizeof(words), 0), sizeof(words));
    assert_true(words[0] != words[1]);
    assert_int_equal(getentropy(words, sizeof(words)), 0);
    assert_int_equal(getentropy(words, 257), -1);
}

static void test_pause_and_abort_end_by_signal(void **state)
{
    (void)state;
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGTERM, SIG_DFL);
        pause();
        _exit(9);
    }
    kill(child, SIGTERM);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        abort();
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

// A counter, before a controlled run: start-up must see the same clock in every process.
static void test_clock_of_a_start_up_is_a_counter(void **state)
{
    (void)state;
    struct timespec times[3];
    cx_clock_real = 0;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &times[i]), 0);
    }
    assert_int_equal(times[1].tv_nsec - times[0].tv_nsec, times[2].tv_nsec - times[1].tv_nsec);
    assert_true(times[2].tv_nsec > times[1].tv_nsec);
    assert_true(time(NULL) >= 1767225600 && time(NULL) < 1767225600 + 60);
    cx_clock_real = 1;
}

// Nor may start-up see what the process weighs, or it collects at other places in another process.
static void test_weight_of_a_start_up_is_hidden(void **state)
{
    (void)state;
    cx_clock_real = 0;
    assert_null(fopen64("/proc/self/status", "r"));
    assert_int_equal(errno, ENOENT);
    cx_clock_real = 1;
    FILE *file = fopen64("/proc/self/status", "r");
    assert_non_null(file);
    fclose(file);
}

static pid_t ids[2]; // of main and of the thread that ends the run

static void wait_for_ever(void)
{
    for (;;) {
        pause();
    }
}

// Asked where it is, it says nothing, which costs the one who asks some time.
static void *say_nothing(void *argument)
{
    sigset_t question;
    sigemptyset(&question);
    sigaddset(&question, SIGURG);
    pthread_sigmask(SIG_BLOCK, &question, NULL);
    wait_for_ever();
    return argument;
}

static void *end_the_run(void *argument)
{
    ids[1] = (pid_t)syscall(SYS_gettid);
    pthread_barrier_wait(&barrier);
    wait_for_ever();
    return argument;
}

static int has_pending_signals(pid_t thread)
{
    char path[64];
    char line[128];
    unsigned long long pending = 0;
    snprintf(path, sizeof(path), "/proc/self/task/%d/status", (int)thread);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return 0;
    }
    while (fgets(line, sizeof(line), file) != NULL && sscanf(line, "SigPnd: %llx", &pending) != 1) {
    }
    fclose(file);
    return pending != 0;
}

// The watchdog's signal, so many times; each has begun to be handled when the next comes.
static void tick(pid_t thread, int times)
{
    for (int i = 0; i < times; i++) {
        syscall(SYS_tgkill, getpid(), thread, SIGRTMAX);
        while (has_pending_signals(thread)) {
            sched_yield();
        }
    }
}

static void *watch(void *argument)
{
    struct sigaction question;
    tick(ids[1], CX_WALL_SLICES);
    do {
        sched_yield();
        sigaction(SIGURG, NULL, &question);
    } while (question.sa_handler == SIG_DFL);
    tick(ids[0], 64);
    wait_for_ever();
    return argument;
}

static void hang(struct cx_channel *channel)
{
    cx_playing = 1;
    cx_sched.channel = channel;
    cx_crash_install(120000);
    cx_crash_thread_init(0);
    ids[0] = getpid();
    pthread_barrier_init(&barrier, NULL, 2);
    for (int i = 0; i < 4; i++) {
        sched_spawn(say_nothing, NULL);
    }
    sched_spawn(end_the_run, NULL);
    pthread_barrier_wait(&barrier);
    sched_spawn(watch, NULL);
    wait_for_ever();
}

// The watchdog goes on while one thread says that the run hangs. Each of its signals that reached another thread meant
// one more handler on that thread's stack, until it ended: "crash SIGSEGV in ?".
static void test_watchdog_beside_the_end_of_a_hang(void **state)
{
    (void)state;
    int status = 0;
    struct cx_channel *channel = sched_channel();
    memset(&channel->result, 0, offsetof(struct cx_result, cycle));
    pid_t child = fork();
    if (child == 0) {
        hang(channel);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_true(channel->result.complete);
    assert_int_equal(channel->result.outcome, CX_OUTCOME_HANG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_mutexes),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_rwlocks),
        cmocka_unit_test(test_semaphores_spinlocks_and_once),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_entropy_without_a_run),
        cmocka_unit_test(test_pause_and_abort_end_by_signal),
        cmocka_unit_test(test_clock_of_a_start_up_is_a_counter),
        cmocka_unit_test(test_weight_of_a_start_up_is_hidden),
        cmocka_unit_test(test_watchdog_beside_the_end_of_a_hang),
    };
    return cmocka_run_group_tests(tests, use_real_clocks, NULL);
}
