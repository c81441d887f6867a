// SPDX-License-Identifier: Apache-2.0
//
// test_lifecycle_input: inputs of fuzz_lifecycle: bytes and back, mutants that stay valid, programs and their numbers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fuzz/lifecycle_input.h"
#include "harness/prng.h"

#define ROUNDS 5000

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2, size_t size2, uint8_t *out,
                                 size_t max_out_size, unsigned int seed);

static size_t random_bytes(struct cx_prng *prng, uint8_t *data, size_t size_max)
{
    size_t size = cx_prng_below(prng, size_max + 1);
    for (size_t i = 0; i < size; i++) {
        data[i] = (uint8_t)cx_prng_next(prng);
    }
    return size;
}

static void assert_same(const struct fuzz_lifecycle *left, const struct fuzz_lifecycle *right)
{
    assert_memory_equal(&left->program, &right->program, sizeof(left->program));
    assert_int_equal(left->schedule.strategy, right->schedule.strategy);
    assert_int_equal(left->schedule.depth, right->schedule.depth);
    assert_true(left->schedule.seed == right->schedule.seed);
    assert_int_equal(left->schedule.switches_count, right->schedule.switches_count);
    for (uint32_t i = 0; i < left->schedule.switches_count; i++) {
        assert_int_equal(left->schedule.switches[i].thread, right->schedule.switches[i].thread);
        assert_int_equal(left->schedule.switches[i].to, right->schedule.switches[i].to);
        assert_int_equal(left->schedule.switches[i].point, right->schedule.switches[i].point);
    }
}

static void test_lifecycle_input_any_bytes_come_back(void **state)
{
    (void)state;
    struct cx_prng prng = {1};
    uint8_t data[FUZZ_LIFECYCLE_BYTES_MAX + 40], written[FUZZ_LIFECYCLE_BYTES_MAX];
    struct fuzz_lifecycle input, again;
    for (int i = 0; i < ROUNDS; i++) {
        size_t size = random_bytes(&prng, data, sizeof(data));
        fuzz_lifecycle_read(&input, data, size);
        size_t bytes = fuzz_lifecycle_write(&input, written);
        assert_true(bytes <= sizeof(written));
        fuzz_lifecycle_read(&again, written, bytes);
        assert_same(&input, &again);
    }
}

static void test_lifecycle_input_mutants_are_what_they_mean(void **state)
{
    (void)state;
    uint8_t data[FUZZ_LIFECYCLE_BYTES_MAX] = {0}, other[FUZZ_LIFECYCLE_BYTES_MAX], written[FUZZ_LIFECYCLE_BYTES_MAX];
    size_t size = 0, other_size = 0;
    uint32_t longest = 0, scheduled = 0;
    for (unsigned seed = 1; seed < ROUNDS; seed++) {
        size = LLVMFuzzerCustomMutator(data, size, sizeof(data), seed);
        struct fuzz_lifecycle input;
        fuzz_lifecycle_read(&input, data, size);
        assert_int_equal(fuzz_lifecycle_write(&input, written), size);
        assert_memory_equal(written, data, size);
        uint32_t length = fuzz_program_length(&input.program);
        longest = length > longest ? length : longest;
        scheduled += input.schedule.switches_count > 0 || input.schedule.segments_count > 0;
        if (seed % 7 == 0 && other_size > 0) {
            size = LLVMFuzzerCustomCrossOver(data, size, other, other_size, written, sizeof(written), seed);
            memcpy(data, written, size);
        } else if (seed % 5 == 0) {
            memcpy(other, data, size);
            other_size = size;
        }
    }
    assert_in_range(longest, 12, FUZZ_THREADS_MAX * FUZZ_OPS_MAX);
    assert_true(scheduled > ROUNDS / 10);
}

static void test_lifecycle_input_a_plan_has_the_whole_program(void **state)
{
    (void)state;
    struct cx_prng prng = {2};
    static struct cx_deviation plan[2 * FUZZ_PROGRAM_FIELDS + FUZZ_SWITCHES_MAX];
    uint8_t data[FUZZ_LIFECYCLE_BYTES_MAX];
    for (int i = 0; i < ROUNDS; i++) {
        struct fuzz_lifecycle input;
        struct fuzz_program program;
        uint32_t picks = 0;
        fuzz_lifecycle_read(&input, data, random_bytes(&prng, data, sizeof(data)));
        uint32_t count = fuzz_lifecycle_plan(&input, 1, plan, &picks);
        assert_int_equal(count, picks + input.schedule.switches_count);
        fuzz_lifecycle_from_plan(&program, plan, count);
        assert_memory_equal(&program, &input.program, sizeof(program));
        for (uint32_t k = picks + 1; k < count; k++) {
            assert_true(plan[k - 1].point <= plan[k].point);
        }
        uint32_t one = picks;
        assert_int_equal(fuzz_lifecycle_plan(&input, 2, plan, &picks), count + one);
        assert_int_equal(picks, 2 * one);
        for (uint32_t k = 0; k < one; k++) {
            assert_int_equal(plan[one + k].point, plan[k].point + FUZZ_PROGRAM_FIELDS);
            assert_int_equal(plan[one + k].choice, plan[k].choice);
        }
    }
}

static void test_lifecycle_input_prints_what_is_played(void **state)
{
    (void)state;
    struct fuzz_program program = {.threads_more = 1, .end = FUZZ_END_FINALIZE};
    program.ops[1][2] = (struct fuzz_op){.kind = FUZZ_OP_SECTION, .argument = 3};
    program.ops[2][0].kind = FUZZ_OP_COLLECT; // of a thread that there is not
    program.ops[0][0].kind = FUZZ_OP_COUNT;   // nothing
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    fuzz_program_print(&program, out);
    fclose(out);
    assert_non_null(strstr(text, "PyCriticalSection_Begin(&section, pair[3 & 1]);    // section\n"));
    assert_non_null(strstr(text, "Py_FinalizeEx();\n"));
    assert_null(strstr(text, "PyGC_Collect"));
    assert_int_equal(fuzz_program_length(&program), 1);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lifecycle_input_any_bytes_come_back),
        cmocka_unit_test(test_lifecycle_input_mutants_are_what_they_mean),
        cmocka_unit_test(test_lifecycle_input_a_plan_has_the_whole_program),
        cmocka_unit_test(test_lifecycle_input_prints_what_is_played),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
