// SPDX-License-Identifier: Apache-2.0
//
// test_seed: seeds of runs are a pure function, and spread.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "harness/exec/channel.h"
#include "harness/exec/seed.h"
#include "harness/exec/set.h"

static void test_seed_is_a_pure_function(void **state)
{
    (void)state;
    uint64_t seed = cx_seed_of_run(1, "finalize/attach_new_thread", CX_STRATEGY_PCT, 17);
    assert_true(seed == cx_seed_of_run(1, "finalize/attach_new_thread", CX_STRATEGY_PCT, 17));
    assert_true(seed != cx_seed_of_run(2, "finalize/attach_new_thread", CX_STRATEGY_PCT, 17));
    assert_true(seed != cx_seed_of_run(1, "finalize/attach_new_threads", CX_STRATEGY_PCT, 17));
    assert_true(seed != cx_seed_of_run(1, "finalize/attach_new_thread", CX_STRATEGY_RANDOM, 17));
    assert_true(seed != cx_seed_of_run(1, "finalize/attach_new_thread", CX_STRATEGY_PCT, 18));
}

// Seeds name runs in reports: a change of the function would rename them all.
static void test_seed_stays_what_it_was(void **state)
{
    (void)state;
    assert_true(cx_seed_of_run(1, "plain/abba_deadlock", CX_STRATEGY_PCT, 16) == 0x1948bd60936068edULL);
}

static void test_seed_repeats_in_no_small_campaign(void **state)
{
    (void)state;
    struct cx_set seen = {0};
    for (uint64_t campaign = 0; campaign < 10; campaign++) {
        for (uint64_t run = 0; run < 5000; run++) {
            assert_int_equal(cx_set_add(&seen, cx_seed_of_run(campaign, "a/b", CX_STRATEGY_RANDOM, run)), 1);
        }
    }
    cx_set_fini(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seed_is_a_pure_function),
        cmocka_unit_test(test_seed_stays_what_it_was),
        cmocka_unit_test(test_seed_repeats_in_no_small_campaign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
