// SPDX-License-Identifier: Apache-2.0
//
// test_names: lists of names and the ones that somebody may have meant.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "harness/names.h"

static void test_names_add_keeps_each_name_once(void **state)
{
    (void)state;
    struct cx_names names = {0};
    cx_names_add(&names, "b");
    cx_names_add(&names, "a");
    cx_names_add(&names, "b");
    cx_names_sort(&names);
    assert_int_equal(names.count, 2);
    assert_string_equal(names.list[0], "a");
    assert_true(cx_names_have(&names, "b"));
    assert_false(cx_names_have(&names, "c"));
    cx_names_fini(&names);
}

static void test_names_split_takes_words(void **state)
{
    (void)state;
    struct cx_names names = {0};
    cx_names_split(&names, "  ");
    assert_int_equal(names.count, 0);
    cx_names_split(&names, " one  two ");
    assert_int_equal(names.count, 2);
    assert_string_equal(names.list[0], "one");
    assert_string_equal(names.list[1], "two");
    cx_names_fini(&names);
}

static void test_names_distance_counts_edits(void **state)
{
    (void)state;
    assert_int_equal(cx_names_distance("", ""), 0);
    assert_int_equal(cx_names_distance("abc", "abc"), 0);
    assert_int_equal(cx_names_distance("abc", ""), 3);
    assert_int_equal(cx_names_distance("", "abc"), 3);
    assert_int_equal(cx_names_distance("kitten", "sitting"), 3);
    assert_int_equal(cx_names_distance("flaw", "lawn"), 2);
}

static void test_names_nearest_finds_typos_and_parts(void **state)
{
    (void)state;
    struct cx_names names = {0};
    char text[200];
    cx_names_add(&names, "critical/two_objects_crossed");
    cx_names_add(&names, "finalize/attach_new_thread");
    cx_names_add(&names, "finalize/reattach_after_detach");
    cx_names_nearest(&names, "finalize/atach_new_thread", text, sizeof(text));
    assert_string_equal(text, "finalize/attach_new_thread");
    cx_names_nearest(&names, "attach_new_thred", text, sizeof(text));
    assert_non_null(strstr(text, "finalize/attach_new_thread"));
    cx_names_nearest(&names, "crossed", text, sizeof(text));
    assert_string_equal(text, "critical/two_objects_crossed");
    cx_names_nearest(&names, "q", text, sizeof(text));
    assert_string_equal(text, "");
    cx_names_fini(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_add_keeps_each_name_once),
        cmocka_unit_test(test_names_split_takes_words),
        cmocka_unit_test(test_names_distance_counts_edits),
        cmocka_unit_test(test_names_nearest_finds_typos_and_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
