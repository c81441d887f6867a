// SPDX-License-Identifier: Apache-2.0
//
// Spin loops: a thread that waits by looking again and again must not keep the others from running, whatever it looks
// with; work that also looks a lot must not be taken for waiting; and a wait for what nobody will do is a livelock.
#include "harness/tests/sched_case.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#define TRAVERSED 100000

static atomic_int flag;
static atomic_int second_flag;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t semaphore;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void by_relaxed_load(void)
{
    while (!atomic_load_explicit(&flag, memory_order_relaxed)) {
    }
}

static void by_acquire_load(void)
{
    while (!atomic_load_explicit(&flag, memory_order_acquire)) {
    }
}

static void by_yielding_load(void)
{
    while (!atomic_load_explicit(&flag, memory_order_relaxed)) {
        sched_yield();
    }
}

static void by_compare_exchange(void)
{
    int expected = 1;
    while (!atomic_compare_exchange_weak(&flag, &expected, 2)) {
        expected = 1;
    }
}

// Test-and-set: the word is free when it is 1 here, and every other look stores the 0 that is there already.
static void by_exchange(void)
{
    while (!atomic_exchange(&flag, 0)) {
    }
}

static void by_adding_nothing(void)
{
    while (!atomic_fetch_add(&flag, 0)) {
    }
}

static void by_two_words(void)
{
    while (!atomic_load_explicit(&flag, memory_order_relaxed) ||
           !atomic_load_explicit(&second_flag, memory_order_acquire)) {
    }
    while (!atomic_load_explicit(&second_flag, memory_order_acquire) ||
           !atomic_load_explicit(&flag, memory_order_relaxed)) {
    }
}

static void by_mutex_trylock(void)
{
    while (pthread_mutex_trylock(&mutex) != 0) {
    }
    pthread_mutex_unlock(&mutex);
}

static void by_sem_trywait(void)
{
    while (sem_trywait(&semaphore) != 0) {
    }
}

static void by_rwlock_try(void)
{
    while (pthread_rwlock_tryrdlock(&rwlock) != 0) {
    }
    pthread_rwlock_unlock(&rwlock);
}

static void by_fence(void)
{
    do {
        atomic_thread_fence(memory_order_seq_cst);
    } while (!atomic_load_explicit(&flag, memory_order_relaxed));
}

static void (*const waits[])(void) = {
    by_relaxed_load, by_acquire_load,   by_yielding_load, by_compare_exchange,
    by_exchange,     by_adding_nothing, by_mutex_trylock, by_sem_trywait,
    by_rwlock_try,   by_fence,          by_two_words,
};
#define WAITS (sizeof(waits) / sizeof(waits[0]))
static size_t wait_index;
static int someone_comes;

static sem_t held;

static void *hold_and_let_go(void *unused)
{
    pthread_mutex_lock(&mutex);
    pthread_rwlock_wrlock(&rwlock);
    sem_post(&held);
    // Here main begins to spin.
    sched_yield();
    if (someone_comes) {
        pthread_mutex_unlock(&mutex);
        sem_post(&semaphore);
        pthread_rwlock_unlock(&rwlock);
        atomic_store_explicit(&second_flag, 1, memory_order_release);
        atomic_store_explicit(&flag, 1, memory_order_release);
    }
    return unused;
}

// The other thread holds everything; main spins, and keeps the token until it is seen to spin.
static void spin_for_other(void)
{
    sem_init(&held, 0, 0);
    sem_init(&semaphore, 0, 0);
    pthread_t other = sched_spawn(hold_and_let_go, NULL);
    sem_wait(&held);
    waits[wait_index]();
    sched_join(other);
    *sched_note(0) = 1;
}

static void test_spinner_lets_others_run(void **state)
{
    (void)state;
    someone_comes = 1;
    for (wait_index = 0; wait_index < WAITS; wait_index++) {
        assert_int_equal(sched_run_default(spin_for_other)->outcome, CX_OUTCOME_PASS);
        assert_int_equal(*sched_note(0), 1);
        for (uint32_t seed = 1; seed <= 10; seed++) {
            struct cx_request request = {
                .strategy = seed % 2 ? CX_STRATEGY_RANDOM : CX_STRATEGY_PCT,
                .seed = seed,
                .pct_depth = 3,
                .choices_expected = 100,
            };
            assert_int_equal(sched_run(spin_for_other, &request)->outcome, CX_OUTCOME_PASS);
            assert_int_equal(*sched_note(0), 1);
        }
    }
}

// Nobody comes: the verdict is livelock, with the spinner named. Never a hang of the harness.
static void test_spin_for_ever_is_a_livelock(void **state)
{
    (void)state;
    someone_comes = 0;
    for (wait_index = 0; wait_index < WAITS; wait_index++) {
        struct cx_request request = {.strategy = CX_STRATEGY_REPLAY, .steps_max = 300000};
        const struct cx_result *result = sched_run(spin_for_other, &request);
        assert_int_equal(result->outcome, CX_OUTCOME_LIVELOCK);
        assert_int_equal(*sched_note(0), 0);
        assert_int_equal(result->cycle_count, 1);
        assert_int_equal(result->cycle[0].thread, CX_THREAD_KEY_MAIN);
        assert_true(result->cycle[0].caller != 0);
        assert_true(result->stack.count > 1);
    }
}

static void *spin_beside(void *unused)
{
    by_relaxed_load();
    return unused;
}

// Two spin for what nobody does; main waits for them.
static void two_spin(void)
{
    sched_spawn(spin_beside, NULL);
    sched_join(sched_spawn(spin_beside, NULL));
}

static void test_livelock_names_every_spinner(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(two_spin);
    assert_int_equal(result->outcome, CX_OUTCOME_LIVELOCK);
    assert_int_equal(result->cycle_count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(result->cycle[i].thread != CX_THREAD_KEY_MAIN);
    }
}

static void *sleep_in_turns(void *unused)
{
    while (!atomic_load_explicit(&flag, memory_order_relaxed)) {
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    }
    return unused;
}

static void *raise_flag(void *unused)
{
    sched_yield();
    atomic_store(&flag, 1);
    return unused;
}

// One looks busy, with a lock; one sleeps and looks; what both wait for comes from the third.
static void busy_beside_sleeper(void)
{
    pthread_t sleeper = sched_spawn(sleep_in_turns, NULL);
    pthread_t other = sched_spawn(raise_flag, NULL);
    while (!atomic_load_explicit(&flag, memory_order_relaxed)) {
        pthread_mutex_lock(&mutex);
        pthread_mutex_unlock(&mutex);
    }
    sched_join(sleeper);
    sched_join(other);
    *sched_note(0) = 1;
}

// Whoever has the highest priority and sleeps interrupts the busy one again and again, and must not begin its turn
// anew: the third would never run.
static void test_interruptions_prolong_no_turn(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 20; seed++) {
        struct cx_request request = {
            .strategy = CX_STRATEGY_PCT,
            .seed = seed,
            .pct_depth = 1,
            .choices_expected = 100,
            .steps_max = 5000000,
        };
        assert_int_equal(sched_run(busy_beside_sleeper, &request)->outcome, CX_OUTCOME_PASS);
        assert_int_equal(*sched_note(0), 1);
    }
}

static void until_the_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    time_t until = now.tv_sec + 100;
    while (now.tv_sec < until) {
        clock_gettime(CLOCK_MONOTONIC, &now);
    }
}

static void until_flag_or_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    time_t until = now.tv_sec + 100;
    while (!atomic_load_explicit(&flag, memory_order_relaxed) && now.tv_sec < until) {
        clock_gettime(CLOCK_MONOTONIC, &now);
    }
}

static void *hold_token_by_clock(void *unused)
{
    until_flag_or_clock();
    return unused;
}

static void spin_on_clock(void)
{
    until_the_clock();
    until_flag_or_clock();
    pthread_t other = sched_spawn(hold_token_by_clock, NULL);
    until_the_clock();
    sched_join(other);
    *sched_note(0) = 1;
}

// Two loops wait for 100 s to pass; with steps alone that would be a billion points.
static void test_spin_on_the_clock_ends(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(spin_on_clock);
    assert_int_equal(result->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
    assert_true(result->time_ns >= 300ULL * 1000000000ULL);
}

static void *sleep_then_raise(void *unused)
{
    nanosleep(&(struct timespec){3600, 0}, NULL);
    atomic_store(&flag, 1);
    return unused;
}

// What is waited for comes from a sleeper: it is let go long before its hour is full of spinning.
static void spin_for_sleeper(void)
{
    pthread_t other = sched_spawn(sleep_then_raise, NULL);
    sched_yield();
    by_relaxed_load();
    sched_join(other);
    *sched_note(0) = 1;
}

static void test_spin_for_a_sleeper_ends(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(spin_for_sleeper)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
    assert_true(sched_channel()->result.time_ns >= 3600ULL * 1000000000ULL);
}

static volatile atomic_int nodes[TRAVERSED]; // volatile: nobody stores, and each load must be made
static atomic_int shared;

static void *note_turn(void *unused)
{
    *sched_note(1) = 1;
    return unused;
}

// Each element is looked at once, some shared word again and again between: no waiting, however many loads it takes.
static void traverse(memory_order order)
{
    long sum = 0;
    for (int i = 0; i < TRAVERSED; i++) {
        sum += order == memory_order_relaxed ? atomic_load_explicit(&nodes[i], memory_order_relaxed)
                                             : atomic_load_explicit(&nodes[i], memory_order_acquire);
        sum += atomic_load_explicit(&shared, memory_order_relaxed);
    }
    SCHED_CHECK(sum == 0);
}

static void traversals(void)
{
    pthread_t other = sched_spawn(note_turn, NULL);
    traverse(memory_order_relaxed);
    traverse(memory_order_acquire);
    SCHED_CHECK(*sched_note(1) == 0);
    *sched_note(0) = 1;
    sched_join(other);
}

static void test_traversal_is_not_taken_for_spinning(void **state)
{
    (void)state;
    const struct cx_result *result = sched_run_default(traversals);
    assert_int_equal(result->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
    assert_int_equal(*sched_note(1), 1);
    assert_true(result->choices >= TRAVERSED);
}

// A short spin that goes on by itself (CPython looks 40 times before it parks) costs no turn.
static void short_spin(void)
{
    pthread_t other = sched_spawn(note_turn, NULL);
    for (int i = 0; i < 1000; i++) {
        (void)atomic_load_explicit(&flag, memory_order_acquire);
    }
    SCHED_CHECK(*sched_note(1) == 0);
    *sched_note(0) = 1;
    sched_join(other);
}

static void test_short_spin_costs_no_turn(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(short_spin)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
}

static void *work_on(void *unused)
{
    for (int i = 0; i < 50000; i++) {
        atomic_fetch_add(&shared, 1);
    }
    atomic_store(&flag, 1);
    return unused;
}

// The spinner yields to a worker that takes long: that is progress, and no livelock.
static void spin_for_worker(void)
{
    pthread_t other = sched_spawn(work_on, NULL);
    by_yielding_load();
    sched_join(other);
    *sched_note(0) = 1;
}

static void test_spin_beside_work_is_no_livelock(void **state)
{
    (void)state;
    assert_int_equal(sched_run_default(spin_for_worker)->outcome, CX_OUTCOME_PASS);
    assert_int_equal(*sched_note(0), 1);
    assert_int_equal(sched_explore(spin_for_worker, CX_STRATEGY_PCT, 10).of[CX_OUTCOME_PASS], 10);
    assert_int_equal(sched_explore(spin_for_worker, CX_STRATEGY_RANDOM, 10).of[CX_OUTCOME_PASS], 10);
}

#define ROUNDS_BEFORE 25000 // more than a livelock takes

static volatile long rounds_begun;

static void *store_late_and_end(void *unused)
{
    while (rounds_begun < ROUNDS_BEFORE) {
        sched_yield();
    }
    atomic_store(&flag, 1);
    return unused;
}

static void look_and_yield(void)
{
    rounds_begun = 0;
    pthread_t other = sched_spawn(store_late_and_end, NULL);
    do {
        rounds_begun++;
        if (atomic_load(&flag) != 0) {
            break;
        }
        sched_yield();
    } while (1);
    sched_join(other);
    *sched_note(0) = 1;
}

// The spinner is stopped between its last look in vain and its yield; the other one stores, and ends. All that can run
// has spun for long then, but not since the store. (One corrected twin of the corpus, in five million runs.)
static void test_store_between_look_and_yield_is_no_livelock(void **state)
{
    (void)state;
    uint32_t stopped = 0;
    for (uint64_t i = 0; i < 9; i++) {
        struct cx_request request = {.strategy = CX_STRATEGY_REPLAY, .plan_count = 1};
        sched_channel()->plan[0] = (struct cx_deviation){.point = 3 * ROUNDS_BEFORE - 4 + i,
                                                         .thread = CX_THREAD_KEY_MAIN,
                                                         .choice = cx_thread_key(CX_THREAD_KEY_MAIN, 1)};
        const struct cx_result *result = sched_run(look_and_yield, &request);
        assert_int_equal(result->outcome, CX_OUTCOME_PASS);
        assert_int_equal(*sched_note(0), 1);
        stopped += result->preemptions > 0;
    }
    assert_true(stopped > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spinner_lets_others_run),
        cmocka_unit_test(test_spin_for_ever_is_a_livelock),
        cmocka_unit_test(test_livelock_names_every_spinner),
        cmocka_unit_test(test_interruptions_prolong_no_turn),
        cmocka_unit_test(test_spin_on_the_clock_ends),
        cmocka_unit_test(test_spin_for_a_sleeper_ends),
        cmocka_unit_test(test_traversal_is_not_taken_for_spinning),
        cmocka_unit_test(test_short_spin_costs_no_turn),
        cmocka_unit_test(test_spin_beside_work_is_no_livelock),
        cmocka_unit_test(test_store_between_look_and_yield_is_no_livelock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
