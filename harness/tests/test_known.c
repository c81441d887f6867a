// SPDX-License-Identifier: Apache-2.0
//
// test_known: known defects: what explains a finding, what is a regression, and which entries are stale.
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "harness/exec/known.h"

#define TARGET "3.14.7-ft-debug"

static const char usual[] =
    "{\"id\": \"late\", \"issue\": \"gh-1\", \"kind\": \"defect\", \"what\": \"Late.\","
    " \"signatures\": [\"^crash SIGSEGV in a \", \"^race \"], \"unless\": [\"ours_\"],"
    " \"expected\": [{\"scenarios\": \"x/one\", \"targets\": \"3.14.7-ft-* 3.14.6-*\", \"rate\": 0.1},"
    "                {\"scenarios\": \"x/*\", \"targets\": \"3.13.*\"}],"
    " \"fixed in\": [\"3.15.0b1\"]}";

// Load a file with these entries.
static enum cx_status load(struct cx_known *known, const char *entries, struct cx_error *error)
{
    char path[] = "/tmp/test_known-XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    fprintf(file, "{\"defects\": [%s]}", entries);
    fclose(file);
    enum cx_status status = cx_known_load(known, path, error);
    unlink(path);
    return status;
}

// Loading fails, and the reason has these words.
static void assert_refused(const char *entries, const char *words)
{
    struct cx_known known;
    struct cx_error error = {0};
    enum cx_status status = load(&known, entries, &error);
    if (status != CX_ERR_FORMAT || strstr(error.text, words) == NULL) {
        fail_msg("wanted \"%s\", got %s: %s", words, cx_status_name(status), error.text);
    }
    assert_int_equal(known.count, 0);
}

// The usual entry with `from` replaced.
static void assert_refused_with(const char *from, const char *to, const char *words)
{
    char text[2000];
    const char *at = strstr(usual, from);
    assert_non_null(at);
    snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - usual), usual, to, at + strlen(from));
    assert_refused(text, words);
}

static void test_known_explains_by_signature_scenario_and_target(void **state)
{
    (void)state;
    struct cx_known known;
    struct cx_error error = {0};
    assert_int_equal(load(&known, usual, &error), CX_OK);
    const char *crash = "crash SIGSEGV in a < b [0123456789ab]";
    const struct cx_known_entry *late = cx_known_find(&known, TARGET, "x/one", crash).entry;
    assert_non_null(late);
    assert_string_equal(late->issue, "gh-1");
    assert_non_null(cx_known_find(&known, "3.14.6-gil-debug", "x/one", crash).entry);
    assert_non_null(cx_known_find(&known, "3.13.5-ft-tsan", "x/two", "race c / d [0123456789ab]").entry);
    assert_null(cx_known_find(&known, TARGET, "x/two", crash).entry);
    assert_null(cx_known_find(&known, "3.14.7-gil-debug", "x/one", crash).entry);
    assert_null(cx_known_find(&known, TARGET, "x/one", "crash SIGSEGV in b [0123456789ab]").entry);
    assert_null(cx_known_find(&known, TARGET, "x/one", "race c / ours_d [0123456789ab]").entry);
    cx_known_fini(&known);
}

static void test_known_in_a_fixed_version_is_a_regression(void **state)
{
    (void)state;
    struct cx_known known;
    struct cx_error error = {0};
    assert_int_equal(load(&known, usual, &error), CX_OK);
    const char *race = "race c / d [0123456789ab]";
    struct cx_known_match match = cx_known_find(&known, "3.15.0rc2-ft-debug", "x/one", race);
    assert_non_null(match.entry);
    assert_true(match.regressed);
    assert_false(cx_known_find(&known, TARGET, "x/one", race).regressed);
    assert_null(cx_known_find(&known, "3.15.0a7-ft-debug", "x/one", race).entry);
    assert_null(cx_known_find(&known, "3.15.0rc2-ft-debug", "y/one", race).entry);
    cx_known_fini(&known);
}

static void test_known_fixes_count_by_branch(void **state)
{
    (void)state;
    char *fixes[] = {"3.13.8", "3.15.0b1"};
    struct cx_known_entry entry = {.fixed_in = {.list = fixes, .count = 2}};
    static const struct {
        const char *target;
        int fixed;
    } cases[] = {
        {"3.13.5-gil-debug", 0},
        {"3.13.8-gil-debug", 1},
        {"3.13.15-ft-tsan", 1},
        {"3.14.0-ft-debug", 0},
        {"3.14.7-ft-debug", 0},
        {"3.15.0a2-ft-debug", 0},
        {"3.15.0b1-ft-debug", 1},
        {"3.15.0rc2-ft-debug", 1},
        {"3.15.0-ft-debug", 1},
        {"3.16.0a1-ft-debug", 1},
        {"3.15.0a2+-ft-debug", 0},
        {"3.12.9-gil-debug", 0},
        {"plain", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (cx_known_fixed(&entry, cases[i].target) != cases[i].fixed) {
            fail_msg("%s: fixed is not %d", cases[i].target, cases[i].fixed);
        }
    }
}

static void test_known_names_targets_by_what_they_are(void **state)
{
    (void)state;
    struct cx_identity identity = {.python = "3.15.0rc2", .debug = 1};
    char name[CX_KNOWN_TARGET_BYTES];
    cx_known_target(&identity, "mine", name);
    assert_string_equal(name, "3.15.0rc2-ft-debug");
    identity.gil_build = identity.tsan = 1;
    cx_known_target(&identity, "mine", name);
    assert_string_equal(name, "3.15.0rc2-gil-tsan");
    identity = (struct cx_identity){.python = "3.14.7"};
    cx_known_target(&identity, "mine", name);
    assert_string_equal(name, "3.14.7-ft-release");
    identity = (struct cx_identity){.tsan = 1};
    cx_known_target(&identity, "plain-tsan", name);
    assert_string_equal(name, "plain-tsan");
}

static void test_known_is_missed_when_luck_cannot_explain_it(void **state)
{
    (void)state;
    struct cx_known_place place = {.rate = 0.1};
    assert_false(cx_known_missed(&place, 0));
    assert_false(cx_known_missed(&place, 65)); // 0.9 to the 65th: 0.00106
    assert_true(cx_known_missed(&place, 66));
    assert_true(cx_known_missed(&place, UINT64_MAX));
    place.rate = 1;
    assert_true(cx_known_missed(&place, 1));
    place.rate = 0;
    assert_false(cx_known_missed(&place, 1000000));
}

static void test_known_refuses_stale_entries(void **state)
{
    (void)state;
    assert_refused_with("^race ", "^race (", "does not parse");
    assert_refused_with("ours_", "[", "does not parse");
    assert_refused_with("3.13.*", "3.99.*", "no target that can be built fits \"3.99.*\"");
    assert_refused_with("3.13.*", "3.13.* 3.15.0rc2-ft-*", "which has the fix");
    assert_refused_with("\"x/*\"", "\"\"", "no scenarios");
    assert_refused_with("0.1", "1.5", "between 0 and 1");
    assert_refused_with("\"defect\"", "\"bug\"", "not \"bug\"");
    assert_refused_with("3.15.0b1", "soon", "lists versions");
    assert_refused_with("\"issue\"", "\"issues\"", "late");
    assert_refused_with("\"rate\"", "\"rates\"", "late: expected");
    assert_refused_with("\"^crash SIGSEGV in a \", \"^race \"", "", "lists no pattern");
    char twice[sizeof(usual) * 2 + 2];
    snprintf(twice, sizeof(twice), "%s, %s", usual, usual);
    assert_refused(twice, "two entries");
    assert_refused("{", "line 1");
}

static void test_known_scenarios_must_exist(void **state)
{
    (void)state;
    struct cx_known known;
    struct cx_error error = {0};
    struct cx_scenario_info scenarios[] = {{.name = "y/one"}, {.name = "x/one"}};
    assert_int_equal(load(&known, usual, &error), CX_OK);
    assert_int_equal(cx_known_check(&known, TARGET, scenarios, 2, &error), CX_OK);
    assert_int_equal(cx_known_check(&known, "plain", scenarios, 1, &error), CX_OK); // nothing is expected there
    assert_int_equal(cx_known_check(&known, TARGET, scenarios, 1, &error), CX_ERR_FORMAT);
    assert_non_null(strstr(error.text, "no scenario of " TARGET " fits \"x/one\""));
    cx_known_fini(&known);
}

static void test_known_files(void **state)
{
    (void)state;
    struct cx_known known;
    struct cx_error error = {0};
    assert_int_equal(cx_known_load(&known, NULL, &error), CX_OK); // ours
    assert_true(known.count > 0);
    cx_known_fini(&known);
    assert_int_equal(cx_known_load(&known, "none", &error), CX_OK);
    assert_int_equal(known.count, 0);
    assert_null(cx_known_find(&known, TARGET, "x/one", "race ").entry);
    cx_known_fini(&known);
    assert_int_equal(cx_known_load(&known, "/nowhere/known.json", &error), CX_ERR_FORMAT);
}

static void test_known_refuses_patterns_that_take_all_memory(void **state)
{
    (void)state;
    static const char *const large[] = {"^x++++++++++++++++++++++++++++++++ ", "((((((x+)+)+y{99})+){99})+",
                                        "[]a]{255}{255}{255}", "x+++++*++++++++"};
    for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++) {
        assert_refused_with("^race ", large[i], "too large");
    }
    assert_refused_with("^race ", "x(", "does not parse: ");
}

#define CHARS 160

// The text of the first pattern of an entry, without what makes it a pattern: nearly a signature.
static void words_of(const struct cx_known_entry *entry, char words[CHARS])
{
    size_t length = 0;
    for (const char *at = entry->signatures.list[0]; *at != '\0' && length + 1 < CHARS; at++) {
        if (strchr("^$\\()[]*+?", *at) == NULL) {
            words[length++] = *at;
        }
    }
    words[length] = '\0';
}

static void test_known_keeps_nothing_of_what_was_asked(void **state)
{
    (void)state;
    struct cx_known known;
    struct cx_error error = {0};
    assert_int_equal(cx_known_load(&known, NULL, &error), CX_OK); // ours
    size_t before = 0;
    for (size_t i = 0; i < known.count; i++) {
        before = i < known.count / 2 ? mallinfo2().uordblks : before; // with the small blocks that libc keeps at hand
        for (size_t k = 0; k < known.count; k++) {
            char first[CHARS], second[CHARS], signature[2 * CHARS];
            words_of(&known.entries[i], first);
            words_of(&known.entries[k], second);
            snprintf(signature, sizeof(signature), "%.*s%s", (int)(1 + k % 40), first, second);
            cx_known_find(&known, "3.14.7-ft-tsan", "finalize/attach_new_thread", signature);
        }
    }
    assert_in_range(mallinfo2().uordblks, 0, before + 16 * 1024); // kept tables are 1.1 MB
    cx_known_fini(&known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_explains_by_signature_scenario_and_target),
        cmocka_unit_test(test_known_in_a_fixed_version_is_a_regression),
        cmocka_unit_test(test_known_fixes_count_by_branch),
        cmocka_unit_test(test_known_names_targets_by_what_they_are),
        cmocka_unit_test(test_known_is_missed_when_luck_cannot_explain_it),
        cmocka_unit_test(test_known_refuses_stale_entries),
        cmocka_unit_test(test_known_scenarios_must_exist),
        cmocka_unit_test(test_known_files),
        cmocka_unit_test(test_known_refuses_patterns_that_take_all_memory),
        cmocka_unit_test(test_known_keeps_nothing_of_what_was_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
