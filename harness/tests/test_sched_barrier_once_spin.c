// SPDX-License-Identifier: Apache-2.0
//
// Barriers, once-controls and pthread spinlocks under control.
#include "harness/tests/sched_case.h"

#include <errno.h>

#define PARTIES 3
#define ROUNDS 3

static pthread_barrier_t barrier;
static int arrived[ROUNDS];
static int serial;

static void *meet(void *unused)
{
    for (int round = 0; round < ROUNDS; round++) {
        __atomic_add_fetch(&arrived[round], 1, __ATOMIC_SEQ_CST);
        int result = pthread_barrier_wait(&barrier);
        SCHED_CHECK(result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD);
        SCHED_CHECK(__atomic_load_n(&arrived[round], __ATOMIC_SEQ_CST) == PARTIES);
        __atomic_add_fetch(&serial, result == PTHREAD_BARRIER_SERIAL_THREAD, __ATOMIC_SEQ_CST);
    }
    return unused;
}

// Nobody leaves a round before all have come; one of each round is told that it is the serial one.
static void meet_three_times(void)
{
    pthread_t threads[PARTIES - 1];
    SCHED_CHECK(pthread_barrier_init(&barrier, NULL, PARTIES) == 0);
    for (int i = 0; i < PARTIES - 1; i++) {
        threads[i] = sched_spawn(meet, NULL);
    }
    meet(NULL);
    for (int i = 0; i < PARTIES - 1; i++) {
        sched_join(threads[i]);
    }
    SCHED_CHECK(serial == ROUNDS);
    SCHED_CHECK(pthread_barrier_destroy(&barrier) == 0);
    *sched_note(0) = 1;
}

static void test_barrier_holds_every_round(void **state)
{
    (void)state;
    assert_int_equal(sched_explore(meet_three_times, CX_STRATEGY_RANDOM, 150).of[CX_OUTCOME_PASS], 150);
    assert_int_equal(sched_explore(meet_three_times, CX_STRATEGY_PCT, 150).of[CX_OUTCOME_PASS], 150);
    assert_int_equal(*sched_note(0), 1);
}

static void one_party_too_few(void)
{
    pthread_barrier_init(&barrier, NULL, PARTIES);
    sched_spawn(meet, NULL);
    meet(NULL);
}

static void test_barrier_with_too_few_is_a_deadlock(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(one_party_too_few);
    assert_int_equal(result->outcome, CX_OUTCOME_DEADLOCK);
    assert_int_equal(result->threads[0].op, CX_OP_BARRIER_WAIT);
    assert_int_equal(result->threads[1].op, CX_OP_BARRIER_WAIT);
}

static void barrier_made_again(void)
{
    SCHED_CHECK(pthread_barrier_init(&barrier, NULL, 0) == EINVAL);
    for (int i = 0; i < 1000; i++) {
        SCHED_CHECK(pthread_barrier_init(&barrier, NULL, 1) == 0);
        SCHED_CHECK(pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD);
        SCHED_CHECK(pthread_barrier_destroy(&barrier) == 0);
    }
    *sched_note(0) = 1;
}

static void test_barrier_may_be_made_again(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(barrier_made_again)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int ran;
static int ran_whole;

static void routine(void)
{
    SCHED_CHECK(__atomic_add_fetch(&ran, 1, __ATOMIC_SEQ_CST) == 1);
    // Here another thread comes to the same control, and has to wait.
    sched_yield();
    sched_yield();
    __atomic_store_n(&ran_whole, 1, __ATOMIC_RELEASE);
}

static void *call_once(void *unused)
{
    if (__atomic_load_n(&ran, __ATOMIC_SEQ_CST) == 1 && !__atomic_load_n(&ran_whole, __ATOMIC_SEQ_CST)) {
        *sched_note(1) = 1;
    }
    SCHED_CHECK(pthread_once(&once, routine) == 0);
    SCHED_CHECK(__atomic_load_n(&ran_whole, __ATOMIC_ACQUIRE) == 1);
    return unused;
}

// The routine is switched away from half-way while two other threads come to the control: they wait for its end.
static void once_by_three(void)
{
    pthread_t first = sched_spawn(call_once, NULL);
    pthread_t second = sched_spawn(call_once, NULL);
    call_once(NULL);
    sched_join(first);
    sched_join(second);
    SCHED_CHECK(pthread_once(&once, routine) == 0);
    SCHED_CHECK(ran == 1);
    *sched_note(0) = 1;
}

static void test_once_runs_once_and_others_wait_for_its_end(void **state)
{
    (void)state;
    int met_half_way = 0;
    for (uint32_t seed = 1; seed <= 150; seed++) {
        struct cx_request request = {.strategy = CX_STRATEGY_RANDOM, .seed = seed, .choices_expected = 30};
        assert_int_equal(sched_run(once_by_three, &request)->outcome, CX_OUTCOME_PASS);
        assert_int_equal(*sched_note(0), 1);
        met_half_way += *sched_note(1) == 1;
    }
    assert_true(met_half_way > 0);
    assert_int_equal(sched_explore(once_by_three, CX_STRATEGY_PCT, 150).of[CX_OUTCOME_PASS], 150);
}

static pthread_once_t recursive_once = PTHREAD_ONCE_INIT;

static void calls_itself(void)
{
    pthread_once(&recursive_once, calls_itself);
}

static void once_inside_itself(void)
{
    pthread_once(&recursive_once, calls_itself);
}

static pthread_once_t left_once = PTHREAD_ONCE_INIT;
static pthread_once_t right_once = PTHREAD_ONCE_INIT;

static void nothing(void)
{
}

static void left_needs_right(void)
{
    sched_yield();
    pthread_once(&right_once, nothing);
}

static void right_needs_left(void)
{
    sched_yield();
    pthread_once(&left_once, nothing);
}

static void *do_right(void *unused)
{
    pthread_once(&right_once, right_needs_left);
    return unused;
}

// Each routine waits for the other control, whose routine is running in the other thread.
static void onces_crossed(void)
{
    pthread_t other = sched_spawn(do_right, NULL);
    pthread_once(&left_once, left_needs_right);
    sched_join(other);
}

static void test_once_deadlocks_are_found(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(once_inside_itself);
    assert_int_equal(result->outcome, CX_OUTCOME_DEADLOCK);
    assert_int_equal(result->threads[0].op, CX_OP_ONCE);
    assert_int_equal(result->threads[0].holder, CX_THREAD_KEY_MAIN);
    struct sched_counts counts = sched_explore(onces_crossed, CX_STRATEGY_RANDOM, 100);
    assert_true(counts.of[CX_OUTCOME_DEADLOCK] > 0);
    assert_int_equal(counts.of[CX_OUTCOME_DEADLOCK] + counts.of[CX_OUTCOME_PASS], 100);
}

static pthread_spinlock_t spin;
static int inside;
static int entered;

static void *enter(void *unused)
{
    for (int i = 0; i < 3; i++) {
        SCHED_CHECK(pthread_spin_lock(&spin) == 0);
        SCHED_CHECK(__atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST) == 1);
        SCHED_CHECK(pthread_spin_trylock(&spin) == EBUSY);
        entered++;
        __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
        SCHED_CHECK(pthread_spin_unlock(&spin) == 0);
    }
    return unused;
}

static void spinlock_excludes(void)
{
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    pthread_t first = sched_spawn(enter, NULL);
    pthread_t second = sched_spawn(enter, NULL);
    sched_join(first);
    sched_join(second);
    SCHED_CHECK(entered == 6);
    SCHED_CHECK(pthread_spin_trylock(&spin) == 0);
    SCHED_CHECK(pthread_spin_unlock(&spin) == 0);
    *sched_note(0) = 1;
}

static void test_spinlock_excludes(void **state)
{
    (void)state;
    assert_int_equal(sched_explore(spinlock_excludes, CX_STRATEGY_RANDOM, 150).of[CX_OUTCOME_PASS], 150);
    assert_int_equal(sched_explore(spinlock_excludes, CX_STRATEGY_PCT, 150).of[CX_OUTCOME_PASS], 150);
    assert_int_equal(*sched_note(0), 1);
}

// A spinlock taken twice never spins: the scheduler knows at that step that it is a deadlock, and who holds it.
static void spin_twice(void)
{
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    pthread_spin_lock(&spin);
    pthread_spin_lock(&spin);
}

static void *try_until_taken(void *unused)
{
    while (pthread_spin_trylock(&spin) != 0) {
    }
    SCHED_CHECK(pthread_spin_unlock(&spin) == 0);
    return unused;
}

// A loop of tries is a spin loop: the holder gets its turn.
static void spin_by_trying(void)
{
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    pthread_spin_lock(&spin);
    pthread_t other = sched_spawn(try_until_taken, NULL);
    sched_yield();
    SCHED_CHECK(pthread_spin_unlock(&spin) == 0);
    sched_join(other);
    *sched_note(0) = 1;
}

static void test_spinlock_waits_do_not_hang(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(spin_twice);
    assert_int_equal(result->outcome, CX_OUTCOME_DEADLOCK);
    assert_int_equal(result->threads[0].holder, CX_THREAD_KEY_MAIN);
    assert_in_range(result->steps, 1, 100);
    assert_int_equal(sched_run_default(spin_by_trying)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
    assert_int_equal(sched_explore(spin_by_trying, CX_STRATEGY_PCT, 20).of[CX_OUTCOME_PASS], 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_barrier_holds_every_round),
        cmocka_unit_test(test_barrier_with_too_few_is_a_deadlock),
        cmocka_unit_test(test_barrier_may_be_made_again),
        cmocka_unit_test(test_once_runs_once_and_others_wait_for_its_end),
        cmocka_unit_test(test_once_deadlocks_are_found),
        cmocka_unit_test(test_spinlock_excludes),
        cmocka_unit_test(test_spinlock_waits_do_not_hang),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
