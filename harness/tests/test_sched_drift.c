// SPDX-License-Identifier: Apache-2.0
//
// test_sched_drift: what several censuses say about a scenario that leaves nothing behind.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "harness/detect/drift.h"

#define INT CX_TOTAL_COUNT
#define DICT (CX_TOTAL_COUNT + 1)

static const char *const types[CX_CENSUS_MAX] = {"int", "dict", "a", "b", "c", "d", "e", "f"};
static struct cx_census censuses[CX_DRIFT_PLAYS];

// Every census has eight types, and nothing moves.
static int begin(void **state)
{
    (void)state;
    memset(censuses, 0, sizeof(censuses));
    for (int i = 0; i < CX_DRIFT_PLAYS; i++) {
        censuses[i].count = CX_TOTAL_COUNT + 8;
    }
    return 0;
}

// What an entry is after each play.
static void set(uint32_t entry, int64_t first, int64_t second, int64_t third, int64_t fourth)
{
    const int64_t values[CX_DRIFT_PLAYS] = {first, second, third, fourth};
    for (int i = 0; i < CX_DRIFT_PLAYS; i++) {
        censuses[i].values[entry] = values[i];
    }
}

static uint32_t asked; // the entry that the last judgement would ask

static void assert_judged(enum cx_outcome outcome, const char *text)
{
    char found[200];
    assert_int_equal(cx_drift_judge(censuses, types, found, sizeof(found), &asked), outcome);
    assert_string_equal(found, text);
}

static void test_drift_nothing_moves(void **state)
{
    (void)state;
    set(CX_TOTAL_REFERENCES, 7, 7, 7, 7);
    assert_false(cx_drift_suspected(censuses, 2));
    assert_judged(CX_OUTCOME_PASS, "");
}

static void test_drift_what_comes_once_is_a_cache(void **state)
{
    (void)state;
    set(DICT, 0, 1, 1, 1);
    assert_true(cx_drift_suspected(censuses, 2));
    assert_false(cx_drift_suspected(censuses, 3));
    assert_judged(CX_OUTCOME_PASS, "");
    set(DICT, 0, 1, 2, 2);
    assert_false(cx_drift_suspected(censuses, 4));
    set(DICT, 0, 1, 0, 1); // up and down
    assert_false(cx_drift_suspected(censuses, 3));
    assert_judged(CX_OUTCOME_PASS, "");
}

static void test_drift_every_play_adds(void **state)
{
    (void)state;
    set(DICT, 9, 10, 11, 12);
    set(INT, 0, 3, 6, 9);
    set(CX_TOTAL_REFERENCES, 100, 104, 108, 112);
    set(CX_TOTAL_OBJECTS, 0, 4, 8, 12);
    set(CX_TOTAL_MEMORY, 0, 1, 2, 3);
    set(CX_TOTAL_RAW_BYTES, 0, 1, 2, 3);
    for (uint32_t plays = 2; plays <= CX_DRIFT_PLAYS; plays++) {
        assert_true(cx_drift_suspected(censuses, plays));
    }
    assert_judged(CX_OUTCOME_DRIFT, "+1 dict, +3 int, +4 references; +4 objects, +1 block of memory, +1 raw byte");
    assert_int_equal(asked, DICT); // the first that is named
}

static void test_drift_every_play_takes_away(void **state)
{
    (void)state;
    set(CX_TOTAL_REFERENCES, 0, -1, -2, -3);
    assert_true(cx_drift_suspected(censuses, 2));
    set(DICT, 0, -1, -2, -3);
    assert_judged(CX_OUTCOME_DRIFT, "-1 dict, -1 reference");
    assert_int_equal(asked, CX_TOTAL_REFERENCES); // what is gone cannot be asked
}

static void test_drift_only_what_repeats_is_told(void **state)
{
    (void)state;
    set(CX_TOTAL_REFERENCES, 0, 1, 2, 3);
    set(DICT, 0, 5, 6, 7); // more at first, then the same each time
    set(INT, 0, 1, 2, 4);  // never the same
    assert_judged(CX_OUTCOME_DRIFT, "+1 dict, +1 reference");
}

static void test_drift_references_in_the_pool(void **state)
{
    (void)state;
    set(CX_TOTAL_POOLED, 0, 2, 4, 6);
    assert_judged(CX_OUTCOME_DRIFT, "+2 references in the pool");
}

static void test_drift_memory_without_objects_is_a_leak(void **state)
{
    (void)state;
    set(CX_TOTAL_RAW, 0, 1, 2, 3);
    set(CX_TOTAL_RAW_BYTES, 0, 64, 128, 192);
    assert_judged(CX_OUTCOME_LEAK, "+1 raw block; +64 raw bytes");
    assert_int_equal(asked, CX_TOTAL_RAW);
    set(CX_TOTAL_MEMORY, 0, 2, 4, 6);
    assert_judged(CX_OUTCOME_LEAK, "+2 blocks of memory, +1 raw block; +64 raw bytes");
}

static void test_drift_a_type_that_came_up_later(void **state)
{
    (void)state;
    set(DICT, 0, 1, 2, 3);
    censuses[0].count = INT; // the first census knew neither
    assert_true(cx_drift_suspected(censuses, 2));
    assert_judged(CX_OUTCOME_DRIFT, "+1 dict");
}

static void test_drift_many_types(void **state)
{
    (void)state;
    char found[60];
    for (uint32_t i = 0; i < 8; i++) {
        set(CX_TOTAL_COUNT + i, 0, 1, 2, 3);
    }
    assert_judged(CX_OUTCOME_DRIFT, "+1 a, +1 b, +1 c, +1 d, +1 dict, +1 e, and +2 types more");
    assert_int_equal(cx_drift_judge(censuses, types, found, 20, &asked), CX_OUTCOME_DRIFT); // what does not fit is cut
    assert_true(strlen(found) == 19);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_drift_nothing_moves, begin),
        cmocka_unit_test_setup(test_drift_what_comes_once_is_a_cache, begin),
        cmocka_unit_test_setup(test_drift_every_play_adds, begin),
        cmocka_unit_test_setup(test_drift_every_play_takes_away, begin),
        cmocka_unit_test_setup(test_drift_only_what_repeats_is_told, begin),
        cmocka_unit_test_setup(test_drift_references_in_the_pool, begin),
        cmocka_unit_test_setup(test_drift_memory_without_objects_is_a_leak, begin),
        cmocka_unit_test_setup(test_drift_a_type_that_came_up_later, begin),
        cmocka_unit_test_setup(test_drift_many_types, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
