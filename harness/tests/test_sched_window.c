// SPDX-License-Identifier: Apache-2.0
//
// What a window promises: threads are preempted at its operations alone, or everywhere but there, and strategies spread
// what they do over these points.
#include "harness/tests/sched_case.h"

#include "harness/sched/sched.h"

#define RUNS 100
#define WORKERS 2
#define ROUNDS 30
#define POINTS (4 * WORKERS) // of the increments: before and after each load and store

// What the bodies leave for the tests to read.
enum note { NOTE_LOAD_PC, NOTE_STORE_PC, NOTE_LOST };

static uint64_t total;
static uint64_t elsewhere;

static void stroll(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        __atomic_fetch_add(&elsewhere, 1, __ATOMIC_SEQ_CST);
    }
}

// An increment that is not atomic, in the middle of much else: one is lost if its thread is stopped before its store,
// or if both are stopped before their loads and go on in turns.
static void *increment(void *argument)
{
    stroll();
    uint64_t seen = __atomic_load_n(&total, __ATOMIC_SEQ_CST);
    *sched_note(NOTE_LOAD_PC) = (uint64_t)(uintptr_t)cx_self->caller;
    __atomic_store_n(&total, seen + 1, __ATOMIC_SEQ_CST);
    *sched_note(NOTE_STORE_PC) = (uint64_t)(uintptr_t)cx_self->caller;
    stroll();
    return argument;
}

static void increments(void)
{
    pthread_t threads[WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        threads[i] = sched_spawn(increment, NULL);
    }
    for (int i = 0; i < WORKERS; i++) {
        sched_join(threads[i]);
    }
    *sched_note(NOTE_LOST) = WORKERS - total;
}

// A window of the load and the store, as ranges of one byte each: that of the call, before the return address.
static struct cx_window window_find(uint32_t kind)
{
    struct cx_request request = {.strategy = CX_STRATEGY_REPLAY, .mode = CX_MODE_LOG};
    assert_int_equal(sched_run(increments, &request)->outcome, CX_OUTCOME_PASS);
    uint64_t load = *sched_note(NOTE_LOAD_PC);
    uint64_t store = *sched_note(NOTE_STORE_PC);
    assert_true(load != 0 && load < store);
    return (struct cx_window){.kind = kind, .count = 2, .ranges = {{load - 1, load}, {store - 1, store}}};
}

static struct cx_request drawn(uint32_t strategy, uint64_t seed, const struct cx_window *window)
{
    struct cx_request request = {
        .strategy = strategy, .seed = seed, .pct_depth = 3, .choices_expected = POINTS, .window = *window};
    return request;
}

struct tally {
    uint64_t inside;  // preemptions before the load or the store
    uint64_t outside; // and elsewhere
    uint64_t forced;  // other deviations
    uint32_t lost;    // runs that lost an increment
    uint64_t choices; // most of a run
};

static struct tally play(uint32_t strategy, const struct cx_window *window)
{
    struct tally tally = {0};
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct cx_request request = drawn(strategy, seed, window);
        const struct cx_result *result = sched_run(increments, &request);
        assert_int_equal(result->outcome, CX_OUTCOME_PASS);
        for (uint32_t i = 0; i < result->deviations_count; i++) {
            const struct cx_deviation *entry = &sched_channel()->deviations[i];
            int in = entry->object == (uint64_t)(uintptr_t)&total;
            tally.inside += entry->preemption && in;
            tally.outside += entry->preemption && !in;
            tally.forced += !entry->preemption;
        }
        tally.lost += *sched_note(NOTE_LOST) > 0;
        tally.choices = result->choices > tally.choices ? result->choices : tally.choices;
    }
    return tally;
}

static const uint32_t strategies[] = {CX_STRATEGY_RANDOM, CX_STRATEGY_PCT};

// Nobody is preempted elsewhere, and the few points are found at once among the many others.
static void test_inside_is_the_only_place(void **state)
{
    (void)state;
    struct cx_window window = window_find(CX_WINDOW_INSIDE);
    for (int i = 0; i < 2; i++) {
        struct tally tally = play(strategies[i], &window);
        assert_int_equal(tally.outside, 0);
        assert_true(tally.inside >= RUNS / 2);
        assert_true(tally.lost >= RUNS / 5);
        // Of the second thread's, some come when the first one has ended.
        assert_in_range(tally.choices, POINTS / 2 + 1, POINTS);
    }
}

// Each increment then happens at once: none is lost, whatever the other points are used for.
static void test_outside_is_everywhere_else(void **state)
{
    (void)state;
    struct cx_window window = window_find(CX_WINDOW_OUTSIDE);
    for (int i = 0; i < 2; i++) {
        struct tally tally = play(strategies[i], &window);
        assert_int_equal(tally.inside, 0);
        assert_int_equal(tally.lost, 0);
        assert_true(tally.outside >= RUNS / 2);
        assert_true(tally.choices > 2 * ROUNDS);
    }
}

// No point at all: who goes on where a thread blocks or ends is still drawn.
static void test_an_empty_window_preempts_nobody(void **state)
{
    (void)state;
    struct cx_window window = {.kind = CX_WINDOW_INSIDE};
    struct tally tally = play(CX_STRATEGY_RANDOM, &window);
    assert_int_equal(tally.inside + tally.outside, 0);
    assert_int_equal(tally.choices, 0);
    assert_true(tally.forced > 0);
}

// What was found in a window is a schedule like any other: it replays without one.
static void test_a_run_in_a_window_replays(void **state)
{
    (void)state;
    struct cx_window window = window_find(CX_WINDOW_INSIDE);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct cx_request request = drawn(CX_STRATEGY_RANDOM, seed, &window);
        uint64_t fingerprint = sched_run(increments, &request)->fingerprint;
        uint64_t lost = *sched_note(NOTE_LOST);
        assert_int_equal(sched_replay(increments, 0)->outcome, CX_OUTCOME_PASS);
        assert_int_equal(sched_channel()->result.fingerprint, fingerprint);
        assert_int_equal(*sched_note(NOTE_LOST), lost);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inside_is_the_only_place),
        cmocka_unit_test(test_outside_is_everywhere_else),
        cmocka_unit_test(test_an_empty_window_preempts_nobody),
        cmocka_unit_test(test_a_run_in_a_window_replays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
