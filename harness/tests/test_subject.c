// SPDX-License-Identifier: Apache-2.0
//
// test_subject: command lines survive their way through a schedule file, whatever is in them; what makes no sense there
// is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/exec/subject.h"

static const char *const words[] = {"tool", "", "a b", "100%", "%41", "-", "\n\t\x7f", "\xc3\xa4", "x=1"};

static void subject_fill(struct cx_subject *subject)
{
    struct cx_error error = {0};
    memset(subject, 0, sizeof(*subject));
    subject->kind = CX_SUBJECT_MODULE; // has no file
    subject->from_start = 1;
    subject->follow_forks = 1;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        cx_names_append(&subject->words, words[i]);
    }
    cx_names_append(&subject->environment, "NAME=a value");
    assert_int_equal(cx_subject_open(subject, "3.14.7-ft-debug", &error), CX_OK);
}

static void test_subject_words_survive_a_file(void **state)
{
    (void)state;
    struct cx_subject subject, again;
    struct cx_schedule schedule = {0}, read;
    struct cx_error error = {0};
    char *text = NULL;
    size_t text_bytes = 0;
    subject_fill(&subject);
    cx_subject_save(&subject, &schedule);
    snprintf(schedule.target, sizeof(schedule.target), "3.14.7-ft-debug");
    assert_int_equal(cx_schedule_format(&schedule, &text, &text_bytes, &error), CX_OK);
    assert_int_equal(cx_schedule_parse(&read, text, text_bytes, &error), CX_OK);
    assert_int_equal(cx_subject_restore(&again, &read, "FILE", 0, &error), CX_OK);
    assert_int_equal(again.kind, CX_SUBJECT_MODULE);
    assert_int_equal(again.from_start, 1);
    assert_int_equal(again.follow_forks, 1);
    assert_int_equal(again.words.count, subject.words.count);
    for (size_t i = 0; i < again.words.count; i++) {
        assert_string_equal(again.words.list[i], words[i]);
    }
    assert_int_equal(again.environment.count, 1);
    assert_string_equal(again.environment.list[0], "NAME=a value");
    assert_string_equal(again.directory, subject.directory);
    free(text);
    cx_schedule_fini(&read);
    cx_schedule_fini(&schedule);
    cx_subject_fini(&again);
    cx_subject_fini(&subject);
}

static void test_subject_nonsense_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *kind;
        const char *command;
    } cases[] = {{"planet", "tool"},          {"module", "-"},
                 {"module", "a%4"},           {"module", "%zz"},
                 {"module sideways", "tool"}, {"module from-start sideways", "tool"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cx_schedule schedule = {0};
        struct cx_subject subject;
        struct cx_error error = {0};
        snprintf(schedule.subject, sizeof(schedule.subject), "%s", cases[i].kind);
        snprintf(schedule.command, sizeof(schedule.command), "%s", cases[i].command);
        snprintf(schedule.environment, sizeof(schedule.environment), "-");
        assert_int_equal(cx_subject_restore(&subject, &schedule, "FILE", 0, &error), CX_ERR_FORMAT);
        assert_non_null(strstr(error.text, "makes no sense"));
        cx_subject_fini(&subject);
    }
}

static void test_subject_is_quoted_for_a_shell(void **state)
{
    (void)state;
    struct cx_subject subject;
    char text[400], before[400];
    subject_fill(&subject);
    cx_subject_command_text(&subject, text, sizeof(text));
    assert_ptr_equal(strstr(text, "tool '' 'a b' 100% %41 - "), text);
    cx_subject_invocation_text(&subject, before, sizeof(before), text, sizeof(text));
    assert_string_equal(before, "exec --forks follow --target 3.14.7-ft-debug --from-start -m tool");
    assert_ptr_equal(strstr(text, " -- '' 'a b' "), text);
    cx_subject_fini(&subject);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subject_words_survive_a_file),
        cmocka_unit_test(test_subject_nonsense_is_refused),
        cmocka_unit_test(test_subject_is_quoted_for_a_shell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
