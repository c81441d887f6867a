// SPDX-License-Identifier: Apache-2.0
//
// What strategy race promises: two accesses are brought together, the one that is asked for goes first, and whoever is
// held for nothing goes on.
#include "harness/tests/sched_case.h"

#include "harness/sched/sched.h"

#include <sched.h>

#define RUNS 100
#define PUBLISHED 40 // stores of the thread that is held, each time in vain
#define WALK 1000
#define PATIENT 30000 // steps: patience halves with each vain hold, from 1000 + 2 * 150, and lasts 5000 in all

// What the bodies leave for the tests to read.
enum note { NOTE_LOAD_PC, NOTE_STORE_PC, NOTE_SUM, NOTE_DONE };

static uint64_t words[2];
static uint64_t elsewhere;
static int apart; // 1: each thread has a word of its own

// Operations on another word, so that the accesses seldom stand side by side by themselves.
static void stroll(uint64_t rounds)
{
    for (uint64_t i = 0; i < rounds; i++) {
        __atomic_fetch_add(&elsewhere, 1, __ATOMIC_SEQ_CST);
    }
}

// Load and store, as an increment that is not atomic. The scheduler notes who calls it, as ThreadSanitizer reports it.
__attribute__((noinline)) static void *increment(void *argument)
{
    uint64_t me = (uint64_t)(uintptr_t)argument;
    uint64_t *word = &words[apart ? me : 0];
    stroll(20 + 40 * me);
    uint64_t seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    *sched_note(NOTE_LOAD_PC) = (uint64_t)(uintptr_t)cx_self->caller;
    stroll(3);
    __atomic_store_n(word, seen + 1, __ATOMIC_SEQ_CST);
    *sched_note(NOTE_STORE_PC) = (uint64_t)(uintptr_t)cx_self->caller;
    stroll(20);
    return NULL;
}

static void two_increments(void)
{
    pthread_t first = sched_spawn(increment, (void *)0);
    pthread_t second = sched_spawn(increment, (void *)1);
    sched_join(first);
    sched_join(second);
    *sched_note(NOTE_SUM) = words[0] + words[1];
    *sched_note(NOTE_DONE) = 1;
}

struct pcs {
    uint64_t load;
    uint64_t store;
};

// A run with a log takes the slow path at every point, where the caller is noted. The runs are forks: it is the same in
// all of them.
static struct pcs find_pcs(void)
{
    struct cx_request request = {.strategy = CX_STRATEGY_REPLAY, .mode = CX_MODE_LOG};
    assert_int_equal(sched_run(two_increments, &request)->outcome, CX_OUTCOME_PASS);
    struct pcs pcs = {*sched_note(NOTE_LOAD_PC), *sched_note(NOTE_STORE_PC)};
    assert_true(pcs.load != 0 && pcs.store != 0 && pcs.load != pcs.store);
    return pcs;
}

static struct cx_request aimed(uint64_t one, uint64_t other, uint32_t first, uint64_t seed)
{
    return (struct cx_request){
        .strategy = CX_STRATEGY_RACE,
        .seed = seed,
        .pct_depth = 3,
        .choices_expected = 150,
        .race = {.pcs = {one, other}, .first = first},
    };
}

struct tally {
    uint32_t met;      // runs in which the two accesses came together
    uint32_t met_lost; // and of these, runs with a sum of 1: an increment was lost
};

static struct tally play(uint64_t one, uint64_t other, uint32_t first)
{
    struct tally tally = {0, 0};
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct cx_request request = aimed(one, other, first, seed);
        const struct cx_result *result = sched_run(two_increments, &request);
        assert_int_equal(result->outcome, CX_OUTCOME_PASS);
        assert_int_equal(*sched_note(NOTE_DONE), 1);
        tally.met += result->race_met;
        tally.met_lost += result->race_met && *sched_note(NOTE_SUM) == 1;
    }
    return tally;
}

// One thread before its store, the other before its load. The load first: it misses the store, and one increment is
// lost. The store first: the load sees it.
static void test_the_order_that_is_asked_for(void **state)
{
    (void)state;
    apart = 0;
    struct pcs pcs = find_pcs();
    struct tally store_first = play(pcs.store, pcs.load, 0);
    assert_true(store_first.met > RUNS / 2);
    assert_int_equal(store_first.met_lost, 0);
    struct tally load_first = play(pcs.store, pcs.load, 1);
    assert_true(load_first.met > RUNS / 2);
    assert_int_equal(load_first.met_lost, load_first.met);
    // The same two accesses, named the other way round.
    assert_int_equal(play(pcs.load, pcs.store, 1).met_lost, 0);
}

// Both before the store, so both have loaded: whoever goes first, one increment is lost.
static void test_one_access_of_two_threads(void **state)
{
    (void)state;
    apart = 0;
    struct pcs pcs = find_pcs();
    for (uint32_t first = 0; first < 2; first++) {
        struct tally tally = play(pcs.store, pcs.store, first);
        assert_true(tally.met > RUNS / 2);
        assert_int_equal(tally.met_lost, tally.met);
    }
}

// Accesses that cannot race never meet, and the thread that is held for them goes on: two loads, other memory, an
// access that nobody performs.
static void test_what_cannot_race_never_meets(void **state)
{
    (void)state;
    apart = 0;
    struct pcs pcs = find_pcs();
    assert_int_equal(play(pcs.load, pcs.load, 0).met, 0);
    assert_int_equal(play(pcs.load, 1, 0).met, 0);
    apart = 1;
    assert_int_equal(play(pcs.store, pcs.load, 0).met, 0);
    assert_int_equal(play(pcs.store, pcs.store, 1).met, 0);
}

// Who is held would end the loop of two others, which never stop running: each hands the token to the other one.
static void *publish(void *argument)
{
    for (uint64_t i = 0; i < PUBLISHED; i++) {
        __atomic_store_n(&words[0], i, __ATOMIC_SEQ_CST);
        *sched_note(NOTE_STORE_PC) = (uint64_t)(uintptr_t)cx_self->caller;
    }
    __atomic_store_n(&words[1], 1, __ATOMIC_SEQ_CST);
    return argument;
}

static void *await_published(void *argument)
{
    while (__atomic_load_n(&words[1], __ATOMIC_SEQ_CST) == 0) {
        sched_yield();
    }
    return argument;
}

static void one_publishes(void)
{
    pthread_t threads[3] = {sched_spawn(publish, NULL), sched_spawn(await_published, NULL),
                            sched_spawn(await_published, NULL)};
    for (uint32_t i = 0; i < 3; i++) {
        sched_join(threads[i]);
    }
}

static void test_patience_with_the_held_thread_ends(void **state)
{
    (void)state;
    struct cx_request logged = {.strategy = CX_STRATEGY_REPLAY, .mode = CX_MODE_LOG};
    assert_int_equal(sched_run(one_publishes, &logged)->outcome, CX_OUTCOME_PASS);
    uint64_t store = *sched_note(NOTE_STORE_PC);
    assert_true(store != 0);
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct cx_request request = aimed(store, 1, 0, seed);
        request.steps_max = PATIENT;
        assert_int_equal(sched_run(one_publishes, &request)->outcome, CX_OUTCOME_PASS);
    }
}

// How far another thread came from a thread's load to its store is left in a note.
static void *increment_watched(void *argument)
{
    stroll(20);
    uint64_t before = elsewhere;
    uint64_t seen = __atomic_load_n(&words[0], __ATOMIC_SEQ_CST);
    *sched_note(NOTE_LOAD_PC) = (uint64_t)(uintptr_t)cx_self->caller;
    __atomic_store_n(&words[0], seen + 1, __ATOMIC_SEQ_CST);
    *sched_note(NOTE_STORE_PC) = (uint64_t)(uintptr_t)cx_self->caller;
    *sched_note(NOTE_SUM) = elsewhere - before;
    stroll(20);
    return argument;
}

static void an_increment_beside_a_long_walk(void)
{
    elsewhere = 0;
    pthread_t thread = sched_spawn(increment_watched, NULL);
    stroll(WALK);
    sched_join(thread);
}

// Runs in which the walk went on for most of its length while the thread was on its way from load to store.
static uint32_t stops_there(struct cx_range around)
{
    uint32_t stops = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct cx_request request = aimed(1, 2, 0, seed);
        request.pct_depth = 1;
        request.points_expected = 80;
        request.race.around[0] = around;
        assert_int_equal(sched_run(an_increment_beside_a_long_walk, &request)->outcome, CX_OUTCOME_PASS);
        stops += *sched_note(NOTE_SUM) > WALK / 2;
    }
    return stops;
}

// The functions of the race are hints where to stop, for as long as it takes another thread to pass all that it does.
static void test_threads_stop_in_the_functions_of_the_race(void **state)
{
    (void)state;
    struct cx_request logged = {.strategy = CX_STRATEGY_REPLAY, .mode = CX_MODE_LOG};
    assert_int_equal(sched_run(an_increment_beside_a_long_walk, &logged)->outcome, CX_OUTCOME_PASS);
    struct pcs pcs = {*sched_note(NOTE_LOAD_PC), *sched_note(NOTE_STORE_PC)};
    assert_true(pcs.load != 0 && pcs.load < pcs.store);
    uint32_t nowhere = stops_there((struct cx_range){0, 0});
    uint32_t there = stops_there((struct cx_range){pcs.load - 1, pcs.store});
    assert_true(there > RUNS / 10);
    assert_true(there > 3 * nowhere);
}

// 1 if the two accesses met in a run that passes.
static uint32_t meets(void (*body)(void), const struct cx_request *request)
{
    const struct cx_result *result = sched_run(body, request);
    assert_int_equal(result->outcome, CX_OUTCOME_PASS);
    return result->race_met;
}

// An access that is no point, such as what `free` does to a block: whoever is in its function stands before it.
static void test_an_access_that_is_no_point_is_met_in_its_function(void **state)
{
    (void)state;
    apart = 0;
    struct pcs pcs = find_pcs();
    uint32_t met = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct cx_request request = aimed(1, pcs.store, seed & 1, seed);
        request.points_expected = 150;
        request.race.around[0] = (struct cx_range){pcs.load - 1, pcs.load};
        met += meets(two_increments, &request);
        assert_int_equal(*sched_note(NOTE_DONE), 1);
    }
    assert_true(met > RUNS / 4);
}

// Main passes neither access. Who is to be main, as where the race was seen, is not held elsewhere.
static void test_main_is_main_where_the_race_was_seen(void **state)
{
    (void)state;
    apart = 0;
    struct pcs pcs = find_pcs();
    uint32_t met[2] = {0};
    for (uint64_t seed = 1; seed <= 2 * RUNS; seed++) {
        struct cx_request request = aimed(pcs.load, pcs.store, 0, seed / 2);
        request.points_expected = 150;
        request.race.threads[0] = seed % 2 == 0 ? CX_THREAD_KEY_MAIN : cx_thread_key(CX_THREAD_KEY_MAIN, 1);
        request.race.threads[1] = cx_thread_key(CX_THREAD_KEY_MAIN, 2);
        met[seed % 2] += meets(two_increments, &request);
    }
    assert_true(met[1] > RUNS / 2);
    assert_true(met[0] < met[1] / 2);
}

static void main_increments_after_a_long_walk(void)
{
    pthread_t thread = sched_spawn(increment, (void *)0);
    stroll(10 * WALK);
    increment((void *)0);
    sched_join(thread);
}

// The thread is done long before main is there, whoever is patient with it, unless it waits for main to be held.
static void test_a_short_thread_waits_for_main(void **state)
{
    (void)state;
    apart = 0;
    struct pcs pcs = find_pcs();
    uint32_t met[2] = {0};
    for (uint64_t seed = 1; seed <= 2 * RUNS; seed++) {
        struct cx_request request = aimed(pcs.load, pcs.store, 0, seed / 2);
        request.choices_expected = WALK;
        request.points_expected = 60;
        if (seed % 2 == 1) {
            request.race.threads[0] = CX_THREAD_KEY_MAIN;
            request.race.threads[1] = cx_thread_key(CX_THREAD_KEY_MAIN, 1);
        }
        met[seed % 2] += meets(main_increments_after_a_long_walk, &request);
    }
    assert_true(met[1] > met[0] + met[0] / 2);
}

// Main waits for the held thread by looking again and again, and patience would last for millions of decisions.
static void test_a_thread_that_all_wait_for_is_let_go(void **state)
{
    (void)state;
    struct cx_request logged = {.strategy = CX_STRATEGY_REPLAY, .mode = CX_MODE_LOG};
    assert_int_equal(sched_run(one_publishes, &logged)->outcome, CX_OUTCOME_PASS);
    uint64_t store = *sched_note(NOTE_STORE_PC);
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct cx_request request = aimed(store, 1, 0, seed);
        request.choices_expected = 1000000;
        request.points_expected = PUBLISHED;
        request.steps_max = PATIENT;
        assert_int_equal(sched_run(one_publishes, &request)->outcome, CX_OUTCOME_PASS);
    }
}

static void test_a_seed_is_a_run_and_replays(void **state)
{
    (void)state;
    apart = 0;
    struct pcs pcs = find_pcs();
    uint64_t last = 0;
    uint32_t changes = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct cx_request request = aimed(pcs.store, pcs.load, seed & 1, seed);
        struct cx_result once = *sched_run(two_increments, &request);
        uint64_t sum = *sched_note(NOTE_SUM);
        changes += once.fingerprint != last;
        last = once.fingerprint;
        const struct cx_result *again = sched_run(two_increments, &request);
        assert_int_equal(again->fingerprint, once.fingerprint);
        assert_int_equal(again->race_met, once.race_met);
        // A replay needs neither the strategy nor its aim.
        assert_int_equal(sched_replay(two_increments, 0)->outcome, CX_OUTCOME_PASS);
        assert_int_equal(sched_channel()->result.fingerprint, once.fingerprint);
        assert_int_equal(*sched_note(NOTE_SUM), sum);
    }
    assert_true(changes > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_order_that_is_asked_for),
        cmocka_unit_test(test_one_access_of_two_threads),
        cmocka_unit_test(test_what_cannot_race_never_meets),
        cmocka_unit_test(test_patience_with_the_held_thread_ends),
        cmocka_unit_test(test_threads_stop_in_the_functions_of_the_race),
        cmocka_unit_test(test_an_access_that_is_no_point_is_met_in_its_function),
        cmocka_unit_test(test_main_is_main_where_the_race_was_seen),
        cmocka_unit_test(test_a_short_thread_waits_for_main),
        cmocka_unit_test(test_a_thread_that_all_wait_for_is_let_go),
        cmocka_unit_test(test_a_seed_is_a_run_and_replays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
