// SPDX-License-Identifier: Apache-2.0
//
// test_signature: what is in a signature and what is not. Stacks are resolved by a table: address n is entry n.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "harness/detect/signature.h"

static const char *const functions[] = {"?",
                                        "cx_block",
                                        "pthread_mutex_lock",
                                        "PyMutex_LockTimed",
                                        "take_gil",
                                        "PyEval_Restore",
                                        "worker",
                                        "_Py_FatalErrorFunc",
                                        "abort",
                                        "_Py_atomic_load_int",
                                        "list_append",
                                        "dict_resize",
                                        "PyMutex_Lock"};

static void table_frame(uint64_t address, struct cx_symbol_stack *out)
{
    struct cx_symbol_frame *frame = &out->frames[out->count++];
    memset(frame, 0, sizeof(*frame));
    frame->function = functions[address];
    frame->file = "";
    frame->frame_class = cx_frame_classify(frame->function, "", "/x/runner");
}

static void table_stack(void *context, const struct cx_stack *stack, enum cx_stack_kind kind,
                        struct cx_symbol_stack *out)
{
    (void)context;
    (void)kind;
    out->count = 0;
    for (uint32_t i = 0; i < stack->count; i++) {
        table_frame(stack->pcs[i], out);
    }
}

static void table_address(void *context, uint64_t address, struct cx_symbol_stack *out)
{
    (void)context;
    out->count = 0;
    table_frame(address, out);
}

static const struct cx_resolver resolver = {NULL, table_stack, table_address};

static struct cx_stack stack_of(uint32_t count, const uint64_t *addresses)
{
    struct cx_stack stack = {.count = count};
    memcpy(stack.pcs, addresses, count * sizeof(*addresses));
    return stack;
}

#define STACK(...) stack_of(sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), (const uint64_t[]){__VA_ARGS__})

struct fixture {
    struct cx_result result;
    struct cx_symptoms symptoms;
};

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    return *state == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static const char *only_signature(struct fixture *fixture)
{
    cx_symptoms_find(&fixture->result, &resolver, &fixture->symptoms);
    assert_int_equal(fixture->symptoms.count, 1);
    return fixture->symptoms.list[0].signature.text;
}

static void assert_begins(const char *text, const char *beginning)
{
    if (strncmp(text, beginning, strlen(beginning)) != 0) {
        fail_msg("\"%s\" does not begin with \"%s\"", text, beginning);
    }
}

static void test_signature_crash_names_three_program_frames(void **state)
{
    struct fixture *fixture = *state;
    fixture->result.outcome = CX_OUTCOME_CRASH;
    fixture->result.signal = 11;
    fixture->result.stack = STACK(1, 2, 4, 5, 6, 10);
    assert_begins(only_signature(fixture), "crash SIGSEGV in take_gil < PyEval_Restore < worker [");
}

static void test_signature_ignores_lines_addresses_and_objects(void **state)
{
    struct fixture *fixture = *state;
    char first[1000];
    fixture->result.outcome = CX_OUTCOME_ASSERT;
    fixture->result.stack = STACK(8, 4, 5);
    snprintf(fixture->result.message, sizeof(fixture->result.message), "tstate != NULL");
    snprintf(fixture->result.location, sizeof(fixture->result.location), "Python/ceval_gil.c:100");
    snprintf(first, sizeof(first), "%s", only_signature(fixture));
    assert_begins(first, "assertion \"tstate != NULL\" in take_gil [");
    snprintf(fixture->result.location, sizeof(fixture->result.location), "Python/ceval_gil.c:107");
    fixture->result.fault_address = 0x1234;
    assert_string_equal(only_signature(fixture), first);
}

static void test_signature_fatal_has_no_numbers(void **state)
{
    struct fixture *fixture = *state;
    char first[1000];
    fixture->result.outcome = CX_OUTCOME_FATAL;
    fixture->result.stack = STACK(8, 7, 4);
    snprintf(fixture->result.location, sizeof(fixture->result.location), "take_gil");
    snprintf(fixture->result.message, sizeof(fixture->result.message), "thread 0x7fff12 died after 17 rounds of v2");
    snprintf(first, sizeof(first), "%s", only_signature(fixture));
    assert_begins(first, "fatal \"thread N died after N rounds of v2\" in take_gil [");
    snprintf(fixture->result.message, sizeof(fixture->result.message), "thread 0x9 died after 4 rounds of v2");
    assert_string_equal(only_signature(fixture), first);
}

static void race_fill(struct cx_race *race, struct cx_stack left, struct cx_stack right)
{
    snprintf(race->type, sizeof(race->type), "data-race");
    race->accesses_count = 2;
    race->accesses[0].stack = left;
    race->accesses[1].stack = right;
}

static void test_signature_race_is_an_unordered_pair(void **state)
{
    struct fixture *fixture = *state;
    fixture->result.outcome = CX_OUTCOME_RACE;
    fixture->result.races_count = 3;
    race_fill(&fixture->result.races[0], STACK(9, 10, 6), STACK(11, 6));
    race_fill(&fixture->result.races[1], STACK(11, 6), STACK(9, 10, 5));
    race_fill(&fixture->result.races[2], STACK(10), STACK(10));
    cx_symptoms_find(&fixture->result, &resolver, &fixture->symptoms);
    assert_int_equal(fixture->symptoms.count, 2); // the first two are one
    assert_begins(fixture->symptoms.list[0].signature.text, "race dict_resize / list_append [");
    assert_int_equal(fixture->symptoms.list[1].race, 2);
}

static void test_signature_race_does_not_hide_the_ending(void **state)
{
    struct fixture *fixture = *state;
    fixture->result.outcome = CX_OUTCOME_CRASH;
    fixture->result.signal = 6;
    fixture->result.stack = STACK(8, 10);
    fixture->result.races_count = 1;
    race_fill(&fixture->result.races[0], STACK(10), STACK(11));
    cx_symptoms_find(&fixture->result, &resolver, &fixture->symptoms);
    assert_int_equal(fixture->symptoms.count, 2);
    assert_int_equal(fixture->symptoms.list[0].kind, CX_OUTCOME_CRASH);
    assert_int_equal(fixture->symptoms.list[1].kind, CX_OUTCOME_RACE);
}

static void report_fill(struct cx_thread_report *report, const char *path, const char *name, uint8_t op,
                        struct cx_stack stack)
{
    memset(report, 0, sizeof(*report));
    snprintf(report->path, sizeof(report->path), "%s", path);
    snprintf(report->name, sizeof(report->name), "%s", name);
    report->status = CX_THREAD_BLOCKED;
    report->op = op;
    report->stack = stack;
}

static void test_signature_deadlock_is_a_sorted_set(void **state)
{
    struct fixture *fixture = *state;
    char first[1000];
    fixture->result.outcome = CX_OUTCOME_DEADLOCK;
    fixture->result.reports_count = 4;
    report_fill(&fixture->result.threads[0], "main", "", CX_OP_THREAD_JOIN, STACK(1, 5));
    report_fill(&fixture->result.threads[1], "main.1", "worker", CX_OP_COND_WAIT, STACK(1, 2, 12, 4));
    report_fill(&fixture->result.threads[2], "main.2", "worker", CX_OP_COND_WAIT, STACK(1, 2, 12, 4));
    report_fill(&fixture->result.threads[3], "main.3", "worker", CX_OP_COND_WAIT, STACK(10));
    fixture->result.threads[3].status = CX_THREAD_EXITED;
    snprintf(first, sizeof(first), "%s", only_signature(fixture));
    assert_begins(first, "deadlock of main thread-join in PyEval_Restore; worker cond-wait in take_gil [");
    struct cx_thread_report swapped = fixture->result.threads[0];
    fixture->result.threads[0] = fixture->result.threads[2];
    fixture->result.threads[2] = swapped;
    assert_string_equal(only_signature(fixture), first);
}

static void test_signature_invariant_has_file_but_no_folder_or_line(void **state)
{
    struct fixture *fixture = *state;
    fixture->result.outcome = CX_OUTCOME_INVARIANT;
    snprintf(fixture->result.message, sizeof(fixture->result.message), "total == 2");
    snprintf(fixture->result.location, sizeof(fixture->result.location), "scenarios/a/b.c:42");
    assert_begins(only_signature(fixture), "invariant \"total == 2\" in b.c [");
}

static void test_signature_pass_has_none(void **state)
{
    struct fixture *fixture = *state;
    cx_symptoms_find(&fixture->result, &resolver, &fixture->symptoms);
    assert_int_equal(fixture->symptoms.count, 0);
}

static void test_signature_id_is_read_back(void **state)
{
    (void)state;
    struct cx_signature signature;
    char id[13];
    char text[3000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    cx_signature_make(&signature, text);
    cx_signature_id(signature.text, id);
    assert_string_equal(id, signature.id);
    assert_int_equal(strlen(id), 12);
    cx_signature_id("no id here", id);
    assert_string_equal(id, "");
    cx_signature_id("[", id);
    assert_string_equal(id, "");
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_signature_crash_names_three_program_frames),
        CASE(test_signature_ignores_lines_addresses_and_objects),
        CASE(test_signature_fatal_has_no_numbers),
        CASE(test_signature_race_is_an_unordered_pair),
        CASE(test_signature_race_does_not_hide_the_ending),
        CASE(test_signature_deadlock_is_a_sorted_set),
        CASE(test_signature_invariant_has_file_but_no_folder_or_line),
        CASE(test_signature_pass_has_none),
        CASE(test_signature_id_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
