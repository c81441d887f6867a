// SPDX-License-Identifier: Apache-2.0
//
// test_set: the set that counts distinct interleavings.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "harness/exec/set.h"

static void test_set_counts_each_number_once(void **state)
{
    (void)state;
    struct cx_set set = {0};
    for (uint64_t i = 0; i < 3000; i++) {
        assert_int_equal(cx_set_add(&set, i * i + 1), 1);
    }
    for (uint64_t i = 0; i < 3000; i++) {
        assert_int_equal(cx_set_add(&set, i * i + 1), 0);
    }
    assert_int_equal(set.count, 3000);
    cx_set_fini(&set);
    assert_int_equal(set.count, 0);
}

static void test_set_takes_zero_for_a_number(void **state)
{
    (void)state;
    struct cx_set set = {0};
    assert_int_equal(cx_set_add(&set, 0), 1);
    assert_int_equal(cx_set_add(&set, 0), 0);
    cx_set_fini(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_counts_each_number_once),
        cmocka_unit_test(test_set_takes_zero_for_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
