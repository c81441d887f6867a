// SPDX-License-Identifier: Apache-2.0
//
// Cancellation: a thread ends at the next cancellation point, also while it is blocked there, and cleans up.
#include "harness/tests/sched_case.h"

#include <semaphore.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static sem_t semaphore;
static int pipe_ends[2];

static void unlock_it(void *unused)
{
    (void)unused;
    *sched_note(0) += (uint64_t)(pthread_mutex_unlock(&mutex) == 0);
}

static void *in_condition(void *unused)
{
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(unlock_it, NULL);
    for (;;) {
        pthread_cond_wait(&condition, &mutex);
    }
    pthread_cleanup_pop(0);
    return unused;
}

static void *in_semaphore(void *unused)
{
    sem_wait(&semaphore);
    return unused;
}

static void *in_sleep(void *unused)
{
    for (;;) {
        sleep(1000);
    }
    return unused;
}

static void *in_read(void *unused)
{
    char byte;
    SCHED_CHECK(read(pipe_ends[0], &byte, 1) == 1);
    return unused;
}

static void cancel_each(void)
{
    void *(*bodies[])(void *) = {in_condition, in_semaphore, in_sleep, in_read};
    SCHED_CHECK(pipe(pipe_ends) == 0);
    for (int i = 0; i < 4; i++) {
        pthread_t thread = sched_spawn(bodies[i], NULL);
        usleep(1000);
        SCHED_CHECK(pthread_cancel(thread) == 0);
        SCHED_CHECK(sched_join(thread) == PTHREAD_CANCELED);
    }
    SCHED_CHECK(pthread_mutex_trylock(&mutex) == 0);
}

static void test_blocked_threads_are_cancelled(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(cancel_each);
    assert_string_equal(result->message, "");
    assert_int_equal(result->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
    assert_int_equal(sched_replay(cancel_each, 0)->outcome, CX_OUTCOME_PASS);
}

// Wherever the thread is when the cancellation comes, it ends, and the mutex is free.
static void test_cancellation_ends_the_thread_in_every_schedule(void **state)
{
    (void)state;
    assert_int_equal(sched_explore(cancel_each, CX_STRATEGY_RANDOM, 100).of[CX_OUTCOME_PASS], 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocked_threads_are_cancelled),
        cmocka_unit_test(test_cancellation_ends_the_thread_in_every_schedule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
