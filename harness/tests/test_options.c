// SPDX-License-Identifier: Apache-2.0
//
// test_options: what may stand on a command line, and the sentence for what may not.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "harness/options.h"

static void test_options_number_takes_whole_words_in_range(void **state)
{
    (void)state;
    uint64_t value = 0;
    struct cx_error error = {0};
    assert_int_equal(cx_option_number("--n", "17", 1, 20, &value, &error), CX_OK);
    assert_int_equal(value, 17);
    assert_int_equal(cx_option_number("--n", "0xff", 0, UINT64_MAX, &value, &error), CX_OK);
    assert_int_equal(value, 255);
    assert_int_equal(cx_option_number("--n", "18446744073709551615", 0, UINT64_MAX, &value, &error), CX_OK);
    assert_true(value == UINT64_MAX);
    static const char *const wrong[] = {"",    " 1", "1 ",   "-1", "+1", "1.5",
                                        "ten", "0x", "0x-1", "21", "0",  "99999999999999999999"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        error.text[0] = '\0';
        assert_int_equal(cx_option_number("--n", wrong[i], 1, 20, &value, &error), CX_ERR_USAGE);
        assert_non_null(strstr(error.text, "--n"));
    }
    cx_option_number("--runs", "0", 1, 20, &value, &error);
    assert_string_equal(error.text, "--runs 0: must be at least 1");
}

static void test_options_duration_knows_units(void **state)
{
    (void)state;
    uint64_t ns = 0;
    struct cx_error error = {0};
    static const struct {
        const char *text;
        uint64_t ns;
    } right[] = {{"1ms", 1000000ULL},
                 {"2s", 2000000000ULL},
                 {"3m", 180000000000ULL},
                 {"1h", 3600000000000ULL},
                 {"5", 5000000000ULL}};
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        assert_int_equal(cx_option_duration_ns("--for", right[i].text, &ns, &error), CX_OK);
        assert_true(ns == right[i].ns);
    }
    static const char *const wrong[] = {"", "s", "1.5h", "-1s", "0s", "1d", "1 s", "99999999999999999h"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(cx_option_duration_ns("--for", wrong[i], &ns, &error), CX_ERR_USAGE);
    }
}

static void test_options_bytes_knows_units(void **state)
{
    (void)state;
    uint64_t bytes = 0;
    struct cx_error error = {0};
    static const struct {
        const char *text;
        uint64_t bytes;
    } right[] = {{"17", 17}, {"2K", 2048}, {"3M", 3145728}, {"4G", 4294967296ULL}, {"1T", 1099511627776ULL}};
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        assert_int_equal(cx_option_bytes("--disk-max", right[i].text, &bytes, &error), CX_OK);
        assert_true(bytes == right[i].bytes);
    }
    static const char *const wrong[] = {"", "G", "1.5G", "-1G", "0G", "1g", "1GB", "1 G", "9999999999T"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(cx_option_bytes("--disk-max", wrong[i], &bytes, &error), CX_ERR_USAGE);
        assert_non_null(strstr(error.text, "--disk-max"));
    }
}

static void test_options_strategy_names_what_exists(void **state)
{
    (void)state;
    uint32_t strategy = 99;
    struct cx_error error = {0};
    assert_int_equal(cx_option_strategy("pct", &strategy, &error), CX_OK);
    assert_int_equal(strategy, CX_STRATEGY_PCT);
    assert_int_equal(cx_option_strategy("replay", &strategy, &error), CX_ERR_USAGE);
    assert_int_equal(cx_option_strategy("pcd", &strategy, &error), CX_ERR_USAGE);
    assert_non_null(strstr(error.text, "did you mean pct"));
    assert_string_equal(cx_strategy_name(CX_STRATEGY_NATIVE), "native");
    assert_string_equal(cx_strategy_name(77), "?");
}

static void test_options_status_has_exit_codes(void **state)
{
    (void)state;
    assert_int_equal(cx_status_exit(CX_OK), 0);
    assert_int_equal(cx_status_exit(CX_ERR_USAGE), 2);
    assert_int_equal(cx_status_exit(CX_ERR_MISMATCH), 3);
    assert_int_equal(cx_status_exit(CX_ERR_NOTHING), 4);
    assert_int_equal(cx_status_exit(CX_ERR_INTERRUPTED), 130);
    assert_string_equal(cx_status_name(CX_ERR_TRUNCATED), "truncated");
    assert_string_equal(cx_status_name((enum cx_status)5), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_number_takes_whole_words_in_range),
        cmocka_unit_test(test_options_duration_knows_units),
        cmocka_unit_test(test_options_bytes_knows_units),
        cmocka_unit_test(test_options_strategy_names_what_exists),
        cmocka_unit_test(test_options_status_has_exit_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
