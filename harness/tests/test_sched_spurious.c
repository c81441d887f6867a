// SPDX-License-Identifier: Apache-2.0
//
// Spurious wake-ups of condition variables: a choice where the rules allow it, recorded and replayed like any other,
// and never a way out of a deadlock.
#include "harness/tests/sched_case.h"

#define RUNS 300

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int ready;
static int waits;

static void *prepare_and_signal(void *unused)
{
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    pthread_mutex_lock(&mutex);
    ready = 1;
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&mutex);
    return unused;
}

// Nobody but the one who is waited for ever signals, so this is wrong only where a wait may end by itself.
static void asked_once(void)
{
    pthread_t other = sched_spawn(prepare_and_signal, NULL);
    pthread_mutex_lock(&mutex);
    if (!ready) {
        pthread_cond_wait(&condition, &mutex);
    }
    SCHED_CHECK(ready);
    pthread_mutex_unlock(&mutex);
    sched_join(other);
}

static void asked_again(void)
{
    pthread_t other = sched_spawn(prepare_and_signal, NULL);
    pthread_mutex_lock(&mutex);
    while (!ready) {
        pthread_cond_wait(&condition, &mutex);
        waits++;
    }
    SCHED_CHECK(ready);
    pthread_mutex_unlock(&mutex);
    sched_join(other);
    *sched_note(0) = (uint64_t)waits;
}

static struct cx_request request_of(uint32_t strategy, uint32_t seed, uint32_t spurious)
{
    return (struct cx_request){
        .strategy = strategy, .seed = seed, .pct_depth = 3, .choices_expected = 20, .rules = {.spurious = spurious}};
}

// Runs of `body` that end in `outcome`; the last one of them is left in the channel.
static uint32_t runs_ending(void (*body)(void), uint32_t strategy, uint32_t spurious, enum cx_outcome outcome)
{
    uint32_t count = 0;
    for (uint32_t seed = 1; seed <= RUNS; seed++) {
        struct cx_request request = request_of(strategy, seed, spurious);
        count += sched_run(body, &request)->outcome == outcome;
    }
    return count;
}

static void test_if_around_a_wait_is_found_by_every_strategy_and_replays(void **state)
{
    (void)state;
    const uint32_t strategies[] = {CX_STRATEGY_RANDOM, CX_STRATEGY_PCT, CX_STRATEGY_POS, CX_STRATEGY_DELAY};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(runs_ending(asked_once, strategies[i], 0, CX_OUTCOME_PASS), RUNS);
        assert_true(runs_ending(asked_once, strategies[i], 100, CX_OUTCOME_INVARIANT) > 0);
        uint32_t seed = 1;
        struct cx_request request = request_of(strategies[i], seed, 100);
        while (sched_run(asked_once, &request)->outcome != CX_OUTCOME_INVARIANT) {
            request = request_of(strategies[i], ++seed, 100);
        }
        assert_int_equal(sched_replay(asked_once, 0)->outcome, CX_OUTCOME_INVARIANT);
        assert_int_equal(sched_replay(asked_once, CX_MODE_LOG)->outcome, CX_OUTCOME_INVARIANT);
    }
}

// With the loop it passes, and some of its waits did end twice: the wake-up was there and did no harm.
static void test_while_around_a_wait_never_fails(void **state)
{
    (void)state;
    uint32_t twice = 0;
    for (uint32_t seed = 1; seed <= RUNS; seed++) {
        struct cx_request request = request_of(CX_STRATEGY_RANDOM, seed, 200);
        assert_int_equal(sched_run(asked_again, &request)->outcome, CX_OUTCOME_PASS);
        twice += *sched_note(0) > 1;
    }
    assert_true(twice > 0);
}

static void wait_for_nobody(void)
{
    pthread_mutex_lock(&mutex);
    pthread_cond_wait(&condition, &mutex);
}

static void test_no_wakeup_ends_a_deadlock(void **state)
{
    (void)state;
    struct cx_request request = request_of(CX_STRATEGY_RANDOM, 1, 1000);
    assert_int_equal(sched_run(wait_for_nobody, &request)->outcome, CX_OUTCOME_DEADLOCK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_if_around_a_wait_is_found_by_every_strategy_and_replays),
        cmocka_unit_test(test_while_around_a_wait_never_fails),
        cmocka_unit_test(test_no_wakeup_ends_a_deadlock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
