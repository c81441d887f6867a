// SPDX-License-Identifier: Apache-2.0
//
// test_schedule_input: schedules of fuzz_schedule: plans and back, segments, mutants that stay what they mean, and what
// of earlier runs directs them. The tests that note runs come last: what is noted stays.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fuzz/common/past.h"
#include "fuzz/schedule_input.h"

#define ROUNDS 3000
#define LONG (1u << 20) // runs without anything new
#define BYTES_MAX (1 + FUZZ_SCHEDULE_BYTES_MAX)

static const struct fuzz_site no_sites[FUZZ_SITES_MAX];

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

static uint32_t bits_set(const struct fuzz_schedule *schedule)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < FUZZ_KNOWN_BYTES; i++) {
        bits += (uint32_t)__builtin_popcount(schedule->known[i]);
    }
    return bits;
}

// What is read from these bytes and written again is these bytes.
static void assert_exact(const uint8_t *data, size_t size, struct fuzz_schedule *schedule)
{
    uint8_t written[FUZZ_SCHEDULE_BYTES_MAX];
    assert_true(size > FUZZ_SCHEDULE_BYTES);
    fuzz_schedule_read(schedule, data + 1, size - 1);
    assert_int_equal(fuzz_schedule_write(schedule, written), size - 1);
    assert_memory_equal(written, data + 1, size - 1);
}

static void test_schedule_input_mutants_are_what_they_mean(void **state)
{
    (void)state;
    uint8_t data[BYTES_MAX] = {7};
    size_t size = 1;
    uint32_t segments = 0, switches = 0, moved = 0, strategies[FUZZ_STRATEGIES] = {0};
    for (unsigned seed = 1; seed < ROUNDS; seed++) {
        struct fuzz_schedule schedule;
        uint8_t before = data[0];
        if (seed % 100 == 0) { // a mutant of another strategy never follows switches again
            memset(data + 1, 0, sizeof(data) - 1);
            size = 1 + FUZZ_SCHEDULE_BYTES;
        }
        size = LLVMFuzzerCustomMutator(data, size, sizeof(data), seed);
        assert_exact(data, size, &schedule);
        moved += data[0] != before;
        strategies[schedule.strategy]++;
        segments = schedule.segments_count > segments ? schedule.segments_count : segments;
        switches = schedule.switches_count > switches ? schedule.switches_count : switches;
    }
    assert_in_range(segments, 3, FUZZ_SEGMENTS_MAX);
    assert_in_range(switches, 2, FUZZ_SWITCHES_MAX);
    assert_in_range(moved, ROUNDS / 12, ROUNDS / 6); // one in eight
    for (uint32_t i = 0; i < FUZZ_STRATEGIES; i++) {
        assert_in_range(strategies[i], 20, ROUNDS / 2);
    }
    assert_int_equal(LLVMFuzzerCustomMutator(data, size, 5, 1), 5);
}

static void test_schedule_input_segments_come_back_in_order(void **state)
{
    (void)state;
    struct cx_prng prng = {3};
    uint8_t bytes[FUZZ_SCHEDULE_BYTES_MAX + 40], again[FUZZ_SCHEDULE_BYTES_MAX];
    for (int round = 0; round < ROUNDS; round++) {
        struct fuzz_schedule schedule;
        struct cx_segments segments;
        size_t size = cx_prng_below(&prng, sizeof(bytes) + 1);
        for (size_t i = 0; i < size; i++) {
            bytes[i] =
                (uint8_t)cx_prng_below(&prng, round % 2 == 0 ? 256 : 2); // many that come after as many hand-offs
        }
        fuzz_schedule_read(&schedule, bytes, size);
        size_t written = fuzz_schedule_write(&schedule, again);
        struct fuzz_schedule same;
        fuzz_schedule_read(&same, again, written);
        assert_memory_equal(&same, &schedule, sizeof(same));
        fuzz_schedule_segments(&schedule, &segments);
        int random = fuzz_strategies[schedule.strategy] == CX_STRATEGY_RANDOM;
        assert_int_equal(segments.count, schedule.segments_count + (random ? 1 : 0));
        for (uint32_t i = 0; i < segments.count; i++) {
            assert_true(i == 0 || segments.list[i].after >= segments.list[i - 1].after);
            assert_in_range(segments.list[i].rate, 0, CX_RATE_MAX);
        }
    }
}

static void test_schedule_input_mutants_go_on_where_something_was_new(void **state)
{
    (void)state;
    struct cx_prng prng = {9};
    const struct fuzz_past past = {.handoffs = 40, .fresh_at = 23};
    uint32_t at_fresh = 0, elsewhere = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct fuzz_schedule schedule = {.strategy = 3, .seed = 77, .segments_count = 2};
        schedule.segments[0] = (struct cx_segment){.seed = 1, .after = 10, .strategy = CX_STRATEGY_POS};
        schedule.segments[1] = (struct cx_segment){.seed = 2, .after = 30, .strategy = CX_STRATEGY_RANDOM, .rate = 4};
        fuzz_schedule_change(&prng, &schedule, &past);
        if (schedule.seed != 77) { // it begins anew
            assert_int_equal(schedule.segments_count, 0);
            continue;
        }
        const struct cx_segment *last = &schedule.segments[schedule.segments_count - 1];
        assert_in_range(last->after, 1, past.handoffs);
        assert_int_equal(schedule.segments_count, 1 + (last->after > 10) + (last->after > 30));
        assert_true(schedule.segments_count == 1 || schedule.segments[0].seed == 1);
        at_fresh += last->after == past.fresh_at;
        elsewhere += last->after != past.fresh_at;
    }
    assert_in_range(at_fresh, ROUNDS / 6, ROUNDS / 3); // half of half
    assert_in_range(elsewhere, ROUNDS / 6, ROUNDS / 3);
}

// Segments of fresh are told the pairs of the table, once for all segments of an input; those of hold one operation to
// three.
static void test_schedule_input_segments_are_told_what_is_known(void **state)
{
    (void)state;
    static struct cx_pairs pairs; // large
    struct cx_prng prng = {6};
    struct fuzz_past past = {.handoffs = 40, .pairs = &pairs, .sites = no_sites};
    uint32_t kinds[FUZZ_KINDS_OF_SEGMENTS] = {0}, places[4] = {0};
    struct fuzz_schedule schedule = {.strategy = 3, .seed = 77};
    past.scores[FUZZ_FAMILY_FRESH] = past.scores[FUZZ_FAMILY_HOLD] = 1;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t hash = cx_prng_next(&prng) | 1;
        pairs.hashes[round] = hash;
        pairs.sites.hashes[round] = hash;
        struct fuzz_schedule parent = schedule;
        fuzz_schedule_change(&prng, &schedule, &past);
        uint8_t bytes[1 + FUZZ_SCHEDULE_BYTES_MAX];
        struct fuzz_schedule again;
        assert_exact(bytes, 1 + fuzz_schedule_write(&schedule, bytes + 1), &again);
        assert_memory_equal(again.known, schedule.known, sizeof(again.known));
        uint32_t kind = fuzz_schedule_kind(&schedule);
        if (kind < FUZZ_KIND_FRESH || kind >= FUZZ_KINDS_OF_SEGMENTS) {
            continue;
        }
        kinds[kind]++;
        if (kind >= FUZZ_KIND_HOLD) {
            assert_int_equal(schedule.segments_count, 1);
            assert_int_equal(schedule.segments[0].after, 0);
            places[bits_set(&schedule)]++;
        } else if (schedule.segments_count > 1 && fuzz_segment_kind(&schedule.segments[0]) >= FUZZ_KIND_FRESH) {
            assert_memory_equal(schedule.known, parent.known, sizeof(schedule.known));
        } else if (schedule.segments_count == 1) {
            struct cx_told known = {.salt = schedule.seed};
            memcpy(known.bits, schedule.known, sizeof(known.bits));
            assert_true(cx_told_has(&known, hash));
        }
    }
    for (uint32_t kind = FUZZ_KIND_FRESH; kind < FUZZ_KINDS_OF_SEGMENTS; kind++) {
        assert_in_range(kinds[kind], 20, ROUNDS / 4);
    }
    assert_in_range(places[1], places[2] + places[3], ROUNDS);
    assert_in_range(places[3], 10, places[1]);
    assert_int_equal(places[0], 0);
}

// Where few have been held, threads are held.
static void test_schedule_input_holds_go_through_all_operations(void **state)
{
    (void)state;
    static struct cx_pairs pairs; // large
    struct cx_prng prng = {6};
    struct fuzz_past past = {.handoffs = 40, .pairs = &pairs, .sites = no_sites};
    uint32_t held[2] = {0};
    past.scores[FUZZ_FAMILY_HOLD] = 1;
    for (uint32_t i = 0; i < 2; i++) {
        pairs.sites.hashes[i] = 11 + i;
        pairs.sites.held_by[i] = i;
    }
    for (int round = 0; round < ROUNDS; round++) {
        struct fuzz_schedule schedule = {.strategy = 3, .seed = 77};
        fuzz_schedule_change(&prng, &schedule, &past);
        struct cx_told known = {.salt = schedule.seed};
        memcpy(known.bits, schedule.known, sizeof(known.bits));
        if (fuzz_schedule_kind(&schedule) >= FUZZ_KIND_HOLD && bits_set(&schedule) == 1) {
            held[0] += (uint32_t)cx_told_has(&known, 11);
            held[1] += (uint32_t)cx_told_has(&known, 12);
        }
    }
    assert_in_range(held[0], 4 * held[1], ROUNDS); // eight times as often
    assert_in_range(held[1], 20, ROUNDS);
}

// An operation to which few runs have come is gone on from; none to which many have, and none of another scenario.
static void test_schedule_input_rare_operations_are_gone_on_from(void **state)
{
    (void)state;
    static struct cx_pairs pairs; // large
    static struct fuzz_site sites[FUZZ_SITES_MAX];
    struct cx_prng prng = {8};
    uint32_t from[3] = {0};
    pairs.sites.runs = 100;
    for (uint32_t i = 0; i < 3; i++) {
        pairs.sites.passed_by[i] = i == 1 ? 50 : 1;
        sites[i] = (struct fuzz_site){.place = i + 1, .scenario = i == 2, .handoffs = 30};
        sites[i].schedule = (struct fuzz_schedule){.strategy = 3, .seed = 1000 + i};
    }
    const struct fuzz_past past = {.pairs = &pairs, .sites = sites};
    for (int round = 0; round < ROUNDS; round++) {
        struct fuzz_schedule schedule = {.strategy = 1, .seed = 77};
        fuzz_schedule_change(&prng, &schedule, &past);
        if (schedule.seed >= 1000 && schedule.seed <= 1002) {
            assert_int_equal(schedule.segments_count, 1);
            assert_in_range(schedule.segments[0].after, 30, 31);
            from[schedule.seed - 1000]++;
        }
    }
    assert_in_range(from[0], ROUNDS / 4, ROUNDS / 2); // three quarters of half
    assert_int_equal(from[1] + from[2], 0);
}

// Of two ends of runs the rarer one is gone on from, shortly before it; never one of another scenario.
static void test_schedule_input_rare_ends_are_gone_on_from(void **state)
{
    (void)state;
    static struct cx_pairs pairs; // large
    static struct fuzz_outcome outcomes[3];
    struct cx_prng prng = {8};
    for (int i = 0; i < 3; i++) {
        outcomes[i].runs = i == 0 ? 99 : 1;
        outcomes[i].scenario = i == 2;
        for (int j = 0; j < FUZZ_KEPT; j++) {
            outcomes[i].kept[j] = (struct fuzz_kept){{.strategy = 3, .seed = 1000 + (uint64_t)i}, 64};
        }
    }
    const struct fuzz_past past = {
        .pairs = &pairs, .sites = no_sites, .outcomes = outcomes, .outcomes_count = 3, .ends = 2, .idle = LONG};
    uint32_t from[3] = {0}, late = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct fuzz_schedule schedule = {.strategy = 1, .seed = 77};
        fuzz_schedule_change(&prng, &schedule, &past);
        if (schedule.seed >= 1000 && schedule.seed <= 1002) {
            assert_int_equal(schedule.segments_count, 1);
            assert_true(schedule.segments[0].after < 64);
            from[schedule.seed - 1000]++;
            late += schedule.segments[0].after > 48;
        }
    }
    assert_in_range(from[1], ROUNDS / 5, ROUNDS / 3); // a quarter
    assert_in_range(from[0], 0, from[1] / 30);
    assert_int_equal(from[2], 0);
    assert_true(late > from[1] / 2);
    struct fuzz_past soon = past;
    for (int round = 0; round < ROUNDS; round++) { // something new has just come: nothing goes by it
        struct fuzz_schedule schedule = {.strategy = 1, .seed = 77};
        soon.idle = 0;
        fuzz_schedule_change(&prng, &schedule, &soon);
        assert_true(schedule.seed != 1000 && schedule.seed != 1001);
    }
}

static void test_schedule_input_ways_that_reach_more_are_taken(void **state)
{
    (void)state;
    static struct cx_pairs pairs; // large
    const struct fuzz_schedule pos = {.strategy = 2};
    struct fuzz_reached reached = {.handoffs = 5};
    struct cx_prng prng = {4};
    uint8_t input[FUZZ_SCHEDULE_BYTES_MAX];
    size_t size = fuzz_schedule_write(&pos, input);
    uint32_t taken[2] = {0};
    for (int knows = 0; knows < 2; knows++) {
        reached.fresh = knows ? 9 : 0;
        reached.pairs = knows ? &pairs : NULL;
        for (int i = 0; i < ROUNDS; i++) {
            fuzz_past_note(input, size, &pos, &reached);
        }
        for (int round = 0; round < ROUNDS; round++) {
            struct fuzz_schedule schedule = {.strategy = 1};
            const struct fuzz_past past = fuzz_past_of(input, size);
            assert_int_equal(past.handoffs, 5);
            fuzz_schedule_change(&prng, &schedule, &past);
            taken[knows] += fuzz_schedule_kind(&schedule) == fuzz_schedule_kind(&pos);
        }
    }
    assert_in_range(taken[0], ROUNDS / 10, ROUNDS / 6);         // a fourth of a half
    assert_in_range(taken[1], ROUNDS / 5 * 3, ROUNDS / 10 * 9); // three quarters, and little of the rest
    assert_int_equal(fuzz_past_of(input, size - 1).handoffs, 0);
}

// Where all runs of pos end alike, and those of pct in many ways, it is pct that begins anew.
static void test_schedule_input_ways_that_end_rarely_are_taken(void **state)
{
    (void)state;
    static struct cx_pairs pairs; // large
    struct cx_prng prng = {4};
    uint8_t input[FUZZ_SCHEDULE_BYTES_MAX];
    size_t size = 0;
    uint32_t taken[2] = {0};
    for (uint64_t i = 0; i < 100; i++) {
        const struct fuzz_schedule schedule = {.strategy = i % 2 ? 1 : 2, .depth = (uint8_t)(i % FUZZ_DEPTHS)};
        struct fuzz_reached reached = {.scenario = 9, .handoffs = 5, .pairs = &pairs};
        reached.outcome = i % 2 ? i / 10 : 0;
        size = fuzz_schedule_write(&schedule, input);
        fuzz_past_note(input, size, &schedule, &reached);
    }
    struct fuzz_past past = fuzz_past_of(input, size);
    assert_int_equal(past.ends, 10);
    past.idle = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct fuzz_schedule schedule = {.strategy = 1, .seed = 77};
        fuzz_schedule_change(&prng, &schedule, &past);
        taken[0] += fuzz_strategies[schedule.strategy] == CX_STRATEGY_POS;
        taken[1] += fuzz_strategies[schedule.strategy] == CX_STRATEGY_PCT && schedule.seed != 77;
    }
    assert_in_range(taken[0], 10, ROUNDS); // never given up
    assert_in_range(taken[1], 5 * taken[0], ROUNDS);
}

static void test_schedule_input_plans_come_back(void **state)
{
    (void)state;
    struct cx_prng prng = {5};
    struct cx_deviation plan[FUZZ_SWITCHES_MAX];
    for (int round = 0; round < ROUNDS; round++) {
        struct fuzz_schedule schedule = {0}, again;
        schedule.switches_count = (uint32_t)cx_prng_below(&prng, FUZZ_SWITCHES_MAX + 1);
        for (uint32_t i = 0; i < schedule.switches_count; i++) {
            schedule.switches[i] = (struct fuzz_switch){.thread = (uint8_t)cx_prng_below(&prng, FUZZ_SWITCH_THREADS),
                                                        .to = (uint8_t)cx_prng_below(&prng, FUZZ_SWITCH_THREADS),
                                                        .point = i + 1};
        }
        uint32_t count = fuzz_schedule_plan(&schedule, plan);
        assert_int_equal(fuzz_schedule_from_plan(&again, plan, count), 0);
        assert_memory_equal(&again.switches, &schedule.switches, sizeof(again.switches));
        assert_int_equal(again.switches_count, schedule.switches_count);
    }
    plan[0] = (struct cx_deviation){.thread = cx_thread_key(cx_thread_key(CX_THREAD_KEY_MAIN, 1), 1), .choice = 1};
    struct fuzz_schedule schedule;
    assert_int_equal(fuzz_schedule_from_plan(&schedule, plan, 1), -1); // a thread that no input can name
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schedule_input_mutants_are_what_they_mean),
        cmocka_unit_test(test_schedule_input_segments_come_back_in_order),
        cmocka_unit_test(test_schedule_input_mutants_go_on_where_something_was_new),
        cmocka_unit_test(test_schedule_input_segments_are_told_what_is_known),
        cmocka_unit_test(test_schedule_input_holds_go_through_all_operations),
        cmocka_unit_test(test_schedule_input_rare_operations_are_gone_on_from),
        cmocka_unit_test(test_schedule_input_rare_ends_are_gone_on_from),
        cmocka_unit_test(test_schedule_input_plans_come_back),
        cmocka_unit_test(test_schedule_input_ways_that_reach_more_are_taken),
        cmocka_unit_test(test_schedule_input_ways_that_end_rarely_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
