// SPDX-License-Identifier: Apache-2.0
//
// test_trace: schedule files: what is written is read again, and nothing else is.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "harness/exec/seed.h"
#include "harness/trace/schedule.h"

static void sample_fill(struct cx_schedule *schedule, size_t count)
{
    memset(schedule, 0, sizeof(*schedule));
    snprintf(schedule->scenario, sizeof(schedule->scenario), "finalize/attach_new_thread");
    snprintf(schedule->target, sizeof(schedule->target), "3.14.7-ft-debug");
    snprintf(schedule->build_id, sizeof(schedule->build_id), "0123456789abcdef0123456789abcdef01234567");
    snprintf(schedule->strategy, sizeof(schedule->strategy), "pct");
    snprintf(schedule->outcome, sizeof(schedule->outcome), "assertion");
    snprintf(schedule->signature, sizeof(schedule->signature), "assertion \"a -> b\" in f [0123456789ab]");
    schedule->depth = 3;
    schedule->seed = 0xfedcba9876543210ULL;
    schedule->run = 17;
    schedule->steps_max = 5000;
    schedule->steps = 290123;
    schedule->fingerprint = UINT64_MAX;
    assert_int_equal(cx_schedule_path_add(schedule, "main.1", NULL), CX_OK);
    assert_int_equal(cx_schedule_path_add(schedule, "main.2.31", NULL), CX_OK);
    const uint32_t threads[] = {CX_THREAD_KEY_MAIN, cx_thread_key_from_path("main.1"),
                                cx_thread_key_from_path("main.2.31"), 0xdeadbeef};
    struct cx_deviation *list = calloc(count + 1, sizeof(*list));
    assert_non_null(list);
    for (size_t i = 0; i < count; i++) {
        struct cx_deviation *deviation = &list[i];
        deviation->thread = threads[i % 4];
        deviation->point = i * 1000003;
        deviation->kind = i % 5 == 4 ? CX_DEVIATION_PICK : CX_DEVIATION_SWITCH;
        deviation->choice = deviation->kind == CX_DEVIATION_PICK ? (uint32_t)i : threads[(i + 1) % 4];
        deviation->op = (uint8_t)(deviation->kind == CX_DEVIATION_PICK && i % 2 ? CX_OP_CHOOSE : i % CX_OP_COUNT);
        deviation->object = deviation->kind == CX_DEVIATION_PICK ? 0 : i * 0x1000;
        deviation->preemption = deviation->kind == CX_DEVIATION_SWITCH && i % 3 == 0;
    }
    assert_int_equal(cx_schedule_deviations_set(schedule, list, count, NULL), CX_OK);
    free(list);
}

static void test_trace_round_trip_keeps_everything(void **state)
{
    (void)state;
    for (size_t count = 0; count < 200; count += 33) {
        struct cx_schedule written, read;
        char *text = NULL;
        size_t text_bytes = 0;
        struct cx_error error = {0};
        sample_fill(&written, count);
        assert_int_equal(cx_schedule_format(&written, &text, &text_bytes, &error), CX_OK);
        assert_int_equal(cx_schedule_parse(&read, text, text_bytes, &error), CX_OK);
        assert_string_equal(read.scenario, written.scenario);
        assert_string_equal(read.signature, written.signature);
        assert_string_equal(read.build_id, written.build_id);
        assert_true(read.seed == written.seed && read.fingerprint == written.fingerprint);
        assert_true(read.run == 17 && read.depth == 3 && read.steps_max == 5000 && read.steps == 290123);
        assert_int_equal(read.deviations_count, count);
        assert_memory_equal(read.deviations, written.deviations, count * sizeof(*read.deviations));
        char *again = NULL;
        size_t again_bytes = 0;
        assert_int_equal(cx_schedule_format(&read, &again, &again_bytes, &error), CX_OK);
        assert_int_equal(again_bytes, text_bytes);
        assert_memory_equal(again, text, text_bytes);
        free(again);
        free(text);
        cx_schedule_fini(&written);
        cx_schedule_fini(&read);
    }
}

// Beside each of the other kinds of lines, and alone.
static void test_trace_round_trip_keeps_the_window(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        struct cx_schedule written, read;
        char *text = NULL;
        size_t text_bytes = 0;
        struct cx_error error = {0};
        sample_fill(&written, 2);
        written.window = (struct cx_schedule_window){"take; f(int, char)", 100, 63, 1, 31};
        if (kind & 1) {
            snprintf(written.points, sizeof(written.points), "sync");
            snprintf(written.within, sizeof(written.within), "-");
            snprintf(written.ranges, sizeof(written.ranges), "-");
        }
        if (kind & 2) {
            snprintf(written.subject, sizeof(written.subject), "program");
        }
        assert_int_equal(cx_schedule_format(&written, &text, &text_bytes, &error), CX_OK);
        assert_non_null(strstr(text, "constrictor-schedule 4\n"));
        assert_int_equal(cx_schedule_parse(&read, text, text_bytes, &error), CX_OK);
        assert_memory_equal(&read.window, &written.window, sizeof(read.window));
        assert_string_equal(read.points, written.points);
        assert_string_equal(read.ranges, written.ranges);
        assert_string_equal(read.subject, written.subject);
        assert_int_equal(read.deviations_count, 2);
        free(text);
        cx_schedule_fini(&written);
        cx_schedule_fini(&read);
    }
}

// A window that shows nothing, or more than was played, was not measured.
static void test_trace_window_that_cannot_be_is_refused(void **state)
{
    (void)state;
    static const struct cx_schedule_window windows[] = {
        {"f", 100, 0, 0, 0}, {"f", 100, 101, 0, 0}, {"f", 100, 1, 101, 0}, {"f", 100, 1, 0, 101}, {"", 100, 1, 0, 0}};
    for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
        struct cx_schedule written, read;
        char *text = NULL;
        size_t text_bytes = 0;
        struct cx_error error = {0};
        sample_fill(&written, 0);
        written.window = windows[i];
        assert_int_equal(cx_schedule_format(&written, &text, &text_bytes, &error), CX_OK);
        assert_int_equal(cx_schedule_parse(&read, text, text_bytes, &error), CX_ERR_FORMAT);
        assert_non_null(strstr(error.text, "this window names no functions, or more findings than runs"));
        free(text);
        cx_schedule_fini(&written);
    }
}

static void test_trace_truncation_at_every_byte_is_named(void **state)
{
    (void)state;
    struct cx_schedule written, read;
    char *text = NULL;
    size_t text_bytes = 0;
    sample_fill(&written, 12);
    assert_int_equal(cx_schedule_format(&written, &text, &text_bytes, NULL), CX_OK);
    for (size_t bytes = 0; bytes < text_bytes; bytes++) {
        struct cx_error error = {0};
        char *copy = malloc(bytes + 1); // exactly as long: a read beyond it is an error of memcheck and ASan
        assert_non_null(copy);
        memcpy(copy, text, bytes);
        assert_int_equal(cx_schedule_parse(&read, copy, bytes, &error), CX_ERR_TRUNCATED);
        assert_non_null(strstr(error.text, "line "));
        assert_non_null(strstr(error.text, "cut off"));
        assert_null(read.deviations);
        free(copy);
    }
    free(text);
    cx_schedule_fini(&written);
}

static void test_trace_change_of_any_byte_is_refused(void **state)
{
    (void)state;
    struct cx_schedule written, read;
    char *text = NULL;
    size_t text_bytes = 0;
    sample_fill(&written, 12);
    assert_int_equal(cx_schedule_format(&written, &text, &text_bytes, NULL), CX_OK);
    for (size_t at = 0; at < text_bytes; at++) {
        static const char changes[] = {'\n', ' ', '0', 'x', '\0', '\x80', '-'};
        for (size_t k = 0; k < sizeof(changes); k++) {
            char before = text[at];
            if (before == changes[k]) {
                continue;
            }
            struct cx_error error = {0};
            text[at] = changes[k];
            assert_int_not_equal(cx_schedule_parse(&read, text, text_bytes, &error), CX_OK);
            assert_true(error.text[0] != '\0');
            text[at] = before;
        }
    }
    free(text);
    cx_schedule_fini(&written);
}

static void test_trace_garbage_never_crashes(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (int round = 0; round < 20000; round++) {
        char bytes[300];
        random = cx_mix(random);
        size_t count = random % sizeof(bytes);
        // A right beginning gets further than noise does.
        size_t head = (size_t)snprintf(bytes, sizeof(bytes), round % 2 ? "constrictor-schedule 1\nscenario " : "");
        for (size_t i = head; i < count; i++) {
            random = cx_mix(random);
            bytes[i] = (char)random;
        }
        struct cx_schedule read;
        struct cx_error error = {0};
        assert_int_not_equal(cx_schedule_parse(&read, bytes, count, &error), CX_OK);
        assert_true(error.text[0] != '\0');
    }
}

static void test_trace_hostile_counts_allocate_nothing_much(void **state)
{
    (void)state;
    static const char text[] = "constrictor-schedule 1\nscenario s\ntarget t\nbuild-id b\nstrategy pct\ndepth 3\n"
                               "seed 0x1\nrun 0\nsteps-max 0\noutcome crash\nsignature x\nsteps 1\nfingerprint 0x0\n"
                               "deviations 1048576\nswitch main 1 -> main.1 load 0x0\n";
    struct cx_schedule read;
    struct cx_error error = {0};
    assert_int_equal(cx_schedule_parse(&read, text, sizeof(text) - 1, &error), CX_ERR_TRUNCATED);
    assert_string_equal(error.text, "line 16: the file is cut off: deviation 2 of 1048576 is missing");
}

static void test_trace_other_version_is_refused(void **state)
{
    (void)state;
    static const char text[] = "constrictor-schedule 5\nscenario s\n";
    struct cx_schedule read;
    struct cx_error error = {0};
    assert_int_equal(cx_schedule_parse(&read, text, sizeof(text) - 1, &error), CX_ERR_FORMAT);
    assert_non_null(strstr(error.text, "version 5"));
}

static void test_trace_file_is_whole_or_absent(void **state)
{
    (void)state;
    struct cx_schedule written, read;
    struct cx_error error = {0};
    char folder[] = "/tmp/cx-trace-XXXXXX";
    char path[100];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/a.cxs", folder);
    sample_fill(&written, 5);
    assert_int_equal(cx_schedule_write(&written, path, &error), CX_OK);
    assert_int_equal(cx_schedule_read(&read, path, &error), CX_OK);
    assert_int_equal(read.deviations_count, 5);
    cx_schedule_fini(&read);
    assert_int_equal(remove(path), 0);
    assert_int_equal(remove(folder), 0); // and nothing else was left in it
    assert_int_equal(cx_schedule_write(&written, path, &error), CX_ERR_SYSTEM);
    assert_int_equal(cx_schedule_read(&read, path, &error), CX_ERR_USAGE);
    assert_non_null(strstr(error.text, path));
    cx_schedule_fini(&written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace_round_trip_keeps_everything),
        cmocka_unit_test(test_trace_round_trip_keeps_the_window),
        cmocka_unit_test(test_trace_window_that_cannot_be_is_refused),
        cmocka_unit_test(test_trace_truncation_at_every_byte_is_named),
        cmocka_unit_test(test_trace_change_of_any_byte_is_refused),
        cmocka_unit_test(test_trace_garbage_never_crashes),
        cmocka_unit_test(test_trace_hostile_counts_allocate_nothing_much),
        cmocka_unit_test(test_trace_other_version_is_refused),
        cmocka_unit_test(test_trace_file_is_whole_or_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
