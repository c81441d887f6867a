// SPDX-License-Identifier: Apache-2.0
//
// What a gate's verdicts promise: swapping the sides swaps new and fixed, and a line that was cut off is left out.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/exec/clock.h"
#include "harness/exec/interrupt.h"
#include "harness/gate/judge.h"
#include "harness/gate/state.h"

static enum cx_gate_verdict judged(int baseline, int candidate, int confirmed)
{
    struct cx_gate_sights sights = {0};
    struct cx_signature signature;
    cx_signature_make(&signature, "crash");
    struct cx_gate_sight *sight = cx_gate_sights_get(&sights, &signature);
    assert_non_null(sight);
    sight->sides[CX_GATE_BASELINE].seen = baseline;
    sight->sides[CX_GATE_BASELINE].confirmed = baseline && confirmed;
    sight->sides[CX_GATE_CANDIDATE].seen = candidate;
    sight->sides[CX_GATE_CANDIDATE].confirmed = candidate && confirmed;
    enum cx_gate_verdict verdict = cx_gate_judge(&sights);
    cx_gate_sights_fini(&sights);
    return verdict;
}

static void test_swapping_the_sides_swaps_new_and_fixed(void **state)
{
    (void)state;
    assert_int_equal(judged(0, 1, 1), CX_GATE_NEW);
    assert_int_equal(judged(1, 0, 1), CX_GATE_FIXED);
    assert_int_equal(judged(1, 1, 1), CX_GATE_STILL);
    assert_int_equal(judged(0, 1, 0), CX_GATE_UNCERTAIN);
    assert_int_equal(judged(1, 0, 0), CX_GATE_UNCERTAIN);
    assert_int_equal(judged(0, 0, 1), CX_GATE_PASS);
}

static void test_what_the_baseline_is_known_to_have_is_not_new(void **state)
{
    (void)state;
    for (int missing = CX_GATE_BASELINE; missing < CX_GATE_SIDES; missing++) {
        struct cx_gate_sights sights = {0};
        struct cx_signature signature;
        cx_signature_make(&signature, "crash");
        struct cx_gate_sight *sight = cx_gate_sights_get(&sights, &signature);
        assert_non_null(sight);
        sight->sides[!missing].seen = 1;
        sight->sides[!missing].confirmed = 1;
        sight->sides[missing].expected = 1;
        assert_int_equal(cx_gate_judge(&sights), missing == CX_GATE_BASELINE ? CX_GATE_STILL : CX_GATE_FIXED);
        cx_gate_sights_fini(&sights);
    }
}

// The verdict of a scenario whose two sides show one crash each, with another signature.
static enum cx_gate_verdict judged_pair(const char *known_baseline, const char *known_candidate)
{
    struct cx_gate_sights sights = {0};
    const char *const known[CX_GATE_SIDES] = {known_baseline, known_candidate};
    const char *const texts[CX_GATE_SIDES] = {"crash SIGSEGV in one", "crash SIGSEGV in two"};
    for (int at = CX_GATE_BASELINE; at < CX_GATE_SIDES; at++) {
        struct cx_signature signature;
        cx_signature_make(&signature, texts[at]);
        struct cx_gate_sight *sight = cx_gate_sights_get(&sights, &signature);
        assert_non_null(sight);
        snprintf(sight->kind, sizeof(sight->kind), "crash");
        snprintf(sight->known, sizeof(sight->known), "%s", known[at]);
        sight->sides[at].seen = 1;
        sight->sides[at].confirmed = 1;
    }
    enum cx_gate_verdict verdict = cx_gate_judge(&sights);
    cx_gate_sights_fini(&sights);
    return verdict;
}

static void test_only_a_known_defect_makes_another_signature_changed(void **state)
{
    (void)state;
    assert_int_equal(judged_pair("defect", "defect"), CX_GATE_CHANGED);
    assert_int_equal(judged_pair("", ""), CX_GATE_NEW);
    assert_int_equal(judged_pair("defect", ""), CX_GATE_NEW);
    assert_int_equal(judged_pair("", "defect"), CX_GATE_NEW);
    assert_int_equal(judged_pair("defect", "other"), CX_GATE_NEW);
}

static void test_a_line_that_was_cut_off_is_left_out(void **state)
{
    (void)state;
    static const char text[] =
        "{\"type\":\"gate\",\"format\":1}\n{\"type\":\"result\",\"verdict\":\"new\",\"spent_ms\":1500}\n"
        "{\"type\":";
    struct cx_gate_state gate = {0};
    struct cx_error error = {0};
    size_t whole_bytes = 0;
    assert_int_equal(cx_gate_state_parse(&gate, text, strlen(text), &whole_bytes, &error), CX_OK);
    assert_int_equal(whole_bytes, strlen(text) - strlen("{\"type\":"));
    assert_int_equal(cx_gate_state_count(&gate, CX_GATE_NEW), 1);
    assert_int_equal(cx_gate_state_spent_ns(&gate), 1500000000);
    cx_gate_state_close(&gate);
}

// The newest line of a scenario counts, and who has found more for its runs has the better claim to more.
static void test_a_newer_result_takes_the_place_of_the_older_one(void **state)
{
    (void)state;
    static const char text[] =
        "{\"type\":\"gate\",\"format\":1}\n"
        "{\"type\":\"result\",\"scenario\":\"a\",\"baseline\":\"x\",\"candidate\":\"y\",\"verdict\":\"pass\","
        "\"candidate_runs\":200,\"findings\":[]}\n"
        "{\"type\":\"result\",\"scenario\":\"b\",\"baseline\":\"x\",\"candidate\":\"y\",\"verdict\":\"new\","
        "\"candidate_runs\":200,\"findings\":[{\"signature\":\"crash [0123456789ab]\","
        "\"baseline\":{\"schedules\":7},\"candidate\":{\"seen\":true,\"confirmed\":true,\"schedules\":3}}]}\n"
        "{\"type\":\"result\",\"scenario\":\"a\",\"baseline\":\"x\",\"candidate\":\"y\",\"verdict\":\"fixed\","
        "\"candidate_runs\":400,\"findings\":[]}\n";
    struct cx_gate_state gate = {0};
    struct cx_error error = {0};
    size_t whole_bytes = 0;
    assert_int_equal(cx_gate_state_parse(&gate, text, strlen(text), &whole_bytes, &error), CX_OK);
    assert_int_equal(json_array_size(gate.results), 2);
    assert_int_equal(cx_gate_state_count(&gate, CX_GATE_PASS), 0);
    assert_int_equal(cx_gate_state_count(&gate, CX_GATE_FIXED), 1);

    const json_t *richest = cx_gate_state_richest(&gate, "x", "y", 200);
    assert_string_equal(json_string_value(json_object_get(richest, "scenario")), "b");
    assert_null(cx_gate_state_richest(&gate, "y", "x", 200));

    struct cx_gate_sights sights = {0};
    struct cx_gate_result result = {0};
    cx_gate_state_recall(richest, &result, &sights);
    assert_int_equal(result.runs[CX_GATE_CANDIDATE], 200);
    assert_int_equal(sights.count, 1);
    assert_string_equal(sights.list[0].signature.id, "0123456789ab");
    assert_int_equal(cx_gate_judge(&sights), CX_GATE_NEW);
    assert_int_equal(sights.list[0].sides[CX_GATE_BASELINE].schedules, 7);
    cx_gate_sights_fini(&sights);
    cx_gate_state_close(&gate);
}

// What was not played is no verdict, and is asked again; another reason, and any verdict, is an answer.
static void test_a_scenario_without_time_is_asked_again(void **state)
{
    (void)state;
    struct cx_gate_state gate = {0};
    struct cx_error error = {0};
    size_t whole_bytes = 0;
    char text[1000];
    snprintf(text, sizeof(text),
             "{\"type\":\"gate\",\"format\":1}\n"
             "{\"type\":\"result\",\"scenario\":\"late\",\"baseline\":\"x\",\"candidate\":\"y\","
             "\"verdict\":\"not comparable\",\"reason\":\"%s\"}\n"
             "{\"type\":\"result\",\"scenario\":\"apart\",\"baseline\":\"x\",\"candidate\":\"y\","
             "\"verdict\":\"not comparable\",\"reason\":\"it skips itself here\"}\n"
             "{\"type\":\"result\",\"scenario\":\"played\",\"baseline\":\"x\",\"candidate\":\"y\","
             "\"verdict\":\"pass\",\"reason\":\"\"}\n",
             CX_GATE_NO_TIME);
    assert_int_equal(cx_gate_state_parse(&gate, text, strlen(text), &whole_bytes, &error), CX_OK);
    assert_int_equal(cx_gate_state_left_out(&gate), 1);
    assert_false(cx_gate_state_have(&gate, "late", "x", "y"));
    assert_true(cx_gate_state_have(&gate, "apart", "x", "y"));
    assert_true(cx_gate_state_have(&gate, "played", "x", "y"));
    assert_false(cx_gate_state_have(&gate, "never", "x", "y"));
    cx_gate_state_close(&gate);
}

// What the only replay of a passing run did otherwise is all that anybody will know of it: the kept line has it, also
// when it is read again, and so has the page.
static void test_how_a_replay_differed_is_kept(void **state)
{
    (void)state;
    static const char doubt[] = "at step 7: expected `main -> main.1`, found `a|b`";
    char dir[] = "/tmp/test_gate.XXXXXX", path[PATH_MAX], page[4000] = "";
    assert_non_null(mkdtemp(dir));
    struct cx_gate_sights sights = {0}, again = {0};
    struct cx_signature signature;
    cx_signature_make(&signature, "divergence of a passing run");
    struct cx_gate_sight *sight = cx_gate_sights_get(&sights, &signature);
    assert_non_null(sight);
    sight->sides[CX_GATE_CANDIDATE].seen = 1;
    snprintf(sight->sides[CX_GATE_CANDIDATE].doubt, sizeof(sight->sides[0].doubt), "%s", doubt);
    struct cx_gate_result result = {
        .scenario = "a", .targets = {"x", "y"}, .verdict = cx_gate_judge(&sights), .reason = "", .sights = &sights};
    assert_int_equal(result.verdict, CX_GATE_UNCERTAIN);

    struct cx_gate_state gate = {0};
    struct cx_error error = {0};
    assert_int_equal(cx_gate_state_create(&gate, dir, json_pack("{s:s, s:i}", "type", "gate", "format", 1), &error),
                     CX_OK);
    assert_int_equal(cx_gate_state_add(&gate, &result, &error), CX_OK);
    cx_gate_state_close(&gate);
    assert_int_equal(cx_gate_state_resume(&gate, dir, &error), CX_OK);
    cx_gate_state_recall(json_array_get(gate.results, 0), &result, &again);
    assert_string_equal(again.list[0].sides[CX_GATE_CANDIDATE].doubt, doubt);
    assert_string_equal(again.list[0].sides[CX_GATE_BASELINE].doubt, "");

    snprintf(path, sizeof(path), "%s/page", dir);
    assert_int_equal(cx_gate_summary_write(&gate, 1, 0, path, NULL, &error), CX_OK);
    FILE *file = fopen(path, "re");
    size_t read = 0;
    if (file != NULL) {
        read = fread(page, 1, sizeof(page) - 1, file);
        fclose(file);
    }
    assert_true(read > 0);
    assert_non_null(strstr(page, "shown, not confirmed: at step 7: expected 'main -> main.1', found 'a\\|b' |"));
    unlink(path);
    snprintf(path, sizeof(path), "%s/gate.jsonl", dir);
    unlink(path);
    rmdir(dir);
    cx_gate_sights_fini(&sights);
    cx_gate_sights_fini(&again);
    cx_gate_state_close(&gate);
}

static void test_a_limit_that_has_passed_is_an_interrupt(void **state)
{
    (void)state;
    assert_false(cx_interrupted());
    cx_interrupt_limit_set(1);
    assert_true(cx_interrupted());
    assert_true(cx_interrupt_timed_out());
    cx_interrupt_limit_set(CX_NO_DEADLINE);
    assert_false(cx_interrupted());
    assert_false(cx_interrupt_timed_out());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_swapping_the_sides_swaps_new_and_fixed),
        cmocka_unit_test(test_what_the_baseline_is_known_to_have_is_not_new),
        cmocka_unit_test(test_only_a_known_defect_makes_another_signature_changed),
        cmocka_unit_test(test_a_line_that_was_cut_off_is_left_out),
        cmocka_unit_test(test_a_newer_result_takes_the_place_of_the_older_one),
        cmocka_unit_test(test_a_scenario_without_time_is_asked_again),
        cmocka_unit_test(test_how_a_replay_differed_is_kept),
        cmocka_unit_test(test_a_limit_that_has_passed_is_an_interrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
