// SPDX-License-Identifier: Apache-2.0
//
// test_shard: which shard this is, as the command line or the environment says.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/exec/shard.h"

static const char *const names[] = {"TEST_SHARD_INDEX",       "TEST_TOTAL_SHARDS",    "TEST_SHARD_STATUS_FILE",
                                    "GTEST_SHARD_INDEX",      "GTEST_TOTAL_SHARDS",   "GTEST_SHARD_STATUS_FILE",
                                    "JOB_COMPLETION_INDEX",   "CONSTRICTOR_SHARDS",   "SLURM_ARRAY_TASK_ID",
                                    "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX",
                                    "SLURM_ARRAY_TASK_STEP"};

static int clear(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        unsetenv(names[i]);
    }
    return 0;
}

// Variables as NAME=VALUE, up to NULL.
static void environment(const char *const *settings)
{
    clear(NULL);
    for (; *settings != NULL; settings++) {
        assert_int_equal(putenv((char *)*settings), 0); // they are literals, and live as long as the process
    }
}

static void expect_shard(const char *const *settings, uint32_t index, uint32_t total, const char *source)
{
    struct cx_shard shard;
    struct cx_error error = {0};
    environment(settings);
    if (cx_shard_environment(&shard, &error) != CX_OK) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(shard.index, index);
    assert_int_equal(shard.total, total);
    if (source == NULL) {
        assert_null(shard.source);
    } else {
        assert_string_equal(shard.source, source);
    }
}

static void expect_refusal(const char *const *settings, const char *said)
{
    struct cx_shard shard;
    struct cx_error error = {0};
    environment(settings);
    assert_int_equal(cx_shard_environment(&shard, &error), CX_ERR_USAGE);
    assert_non_null(strstr(error.text, said));
}

#define SETTINGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_the_option_counts_from_one(void **unused)
{
    (void)unused;
    struct cx_shard shard;
    struct cx_error error = {0};
    assert_int_equal(cx_shard_parse("3/8", &shard, &error), CX_OK);
    assert_int_equal(shard.index, 2);
    assert_int_equal(shard.total, 8);
    assert_null(shard.source);
    assert_int_equal(cx_shard_parse("1/1", &shard, &error), CX_OK);
    assert_int_equal(shard.total, 1);
    assert_int_equal(cx_shard_parse("none", &shard, &error), CX_OK);
    assert_int_equal(shard.total, 0);
    static const char *const wrong[] = {"0/8", "9/8", "8", "/8", "1/", "1/0", "a/8", "1/8/9", "-1/8", "1 /8", ""};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(cx_shard_parse(wrong[i], &shard, &error), CX_ERR_USAGE);
        assert_non_null(strstr(error.text, "--shard"));
    }
}

static void test_without_variables_nothing_is_divided(void **unused)
{
    (void)unused;
    expect_shard(SETTINGS("SLURM_ARRAY_TASK_COUNT=8"), 0, 0, NULL);
    expect_shard(SETTINGS("CONSTRICTOR_SHARDS=8"), 0, 0, NULL);
    expect_shard(SETTINGS("SLURM_ARRAY_TASK_ID="), 0, 0, NULL);
}

static void test_slurm_arrays_have_a_first_index_and_a_step(void **unused)
{
    (void)unused;
    expect_shard(SETTINGS("SLURM_ARRAY_TASK_ID=5", "SLURM_ARRAY_TASK_COUNT=8", "SLURM_ARRAY_TASK_MIN=1",
                          "SLURM_ARRAY_TASK_MAX=8"),
                 4, 8, "SLURM_ARRAY_TASK_ID");
    expect_shard(SETTINGS("SLURM_ARRAY_TASK_ID=40", "SLURM_ARRAY_TASK_COUNT=4", "SLURM_ARRAY_TASK_MIN=10",
                          "SLURM_ARRAY_TASK_MAX=40", "SLURM_ARRAY_TASK_STEP=10"),
                 3, 4, "SLURM_ARRAY_TASK_ID");
    // --array=1,3,9 has no arithmetic, and neither has a task outside.
    expect_refusal(SETTINGS("SLURM_ARRAY_TASK_ID=3", "SLURM_ARRAY_TASK_COUNT=3", "SLURM_ARRAY_TASK_MIN=1",
                            "SLURM_ARRAY_TASK_MAX=9", "SLURM_ARRAY_TASK_STEP=1"),
                   "give --shard I/N or none");
    expect_refusal(SETTINGS("SLURM_ARRAY_TASK_ID=9", "SLURM_ARRAY_TASK_COUNT=8", "SLURM_ARRAY_TASK_MIN=0",
                            "SLURM_ARRAY_TASK_MAX=7"),
                   "give --shard I/N or none");
    expect_refusal(SETTINGS("SLURM_ARRAY_TASK_ID=1"), "SLURM_ARRAY_TASK_COUNT");
    expect_refusal(SETTINGS("SLURM_ARRAY_TASK_ID=one"), "not a whole number");
}

static void test_an_indexed_job_needs_its_total(void **unused)
{
    (void)unused;
    expect_shard(SETTINGS("JOB_COMPLETION_INDEX=0", "CONSTRICTOR_SHARDS=5"), 0, 5, "JOB_COMPLETION_INDEX");
    expect_refusal(SETTINGS("JOB_COMPLETION_INDEX=0"), "CONSTRICTOR_SHARDS");
    expect_refusal(SETTINGS("JOB_COMPLETION_INDEX=5", "CONSTRICTOR_SHARDS=5"), "at most 4");
}

static void test_test_runners_are_told_that_sharding_is_understood(void **unused)
{
    (void)unused;
    char folder[] = "/tmp/constrictor-shard-XXXXXX";
    char path[100];
    char setting[150];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/status", folder);
    snprintf(setting, sizeof(setting), "TEST_SHARD_STATUS_FILE=%s", path);
    expect_shard(SETTINGS("TEST_SHARD_INDEX=1", "TEST_TOTAL_SHARDS=3", setting), 1, 3, "TEST_SHARD_INDEX");
    assert_int_equal(unlink(path), 0);
    snprintf(setting, sizeof(setting), "GTEST_SHARD_STATUS_FILE=%s", path);
    expect_shard(SETTINGS("GTEST_SHARD_INDEX=2", "GTEST_TOTAL_SHARDS=3", setting), 2, 3, "GTEST_SHARD_INDEX");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    // Bazel without sharding says zero.
    expect_shard(SETTINGS("TEST_SHARD_INDEX=0", "TEST_TOTAL_SHARDS=0"), 0, 0, NULL);
    expect_refusal(SETTINGS("TEST_SHARD_INDEX=3", "TEST_TOTAL_SHARDS=3"), "at most 2");
    clear(NULL); // `setting` ends here
}

static void test_the_innermost_one_divides(void **unused)
{
    (void)unused;
    expect_shard(SETTINGS("TEST_SHARD_INDEX=1", "TEST_TOTAL_SHARDS=3", "SLURM_ARRAY_TASK_ID=5",
                          "SLURM_ARRAY_TASK_COUNT=8", "SLURM_ARRAY_TASK_MIN=0", "SLURM_ARRAY_TASK_MAX=7"),
                 1, 3, "TEST_SHARD_INDEX");
    expect_shard(
        SETTINGS("JOB_COMPLETION_INDEX=2", "CONSTRICTOR_SHARDS=4", "GTEST_SHARD_INDEX=0", "GTEST_TOTAL_SHARDS=2"), 0, 2,
        "GTEST_SHARD_INDEX");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_the_option_counts_from_one, clear),
        cmocka_unit_test_setup(test_without_variables_nothing_is_divided, clear),
        cmocka_unit_test_setup(test_slurm_arrays_have_a_first_index_and_a_step, clear),
        cmocka_unit_test_setup(test_an_indexed_job_needs_its_total, clear),
        cmocka_unit_test_setup(test_test_runners_are_told_that_sharding_is_understood, clear),
        cmocka_unit_test_setup(test_the_innermost_one_divides, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
