// SPDX-License-Identifier: Apache-2.0
//
// lifecycle_mutate: the mutator and the cross-over of fuzz_lifecycle. Both know the two halves of an input and leave a
// valid one: a mutation is of operations, or of the schedule, so that a program that reached something new is played
// under other schedules, and a schedule meets programs that are a little different. Two-phase mutation after LACE.
#include "fuzz/lifecycle_input.h"
#include "harness/prng.h"

#include <string.h>

#define CHANGES_MAX 4

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2, size_t size2, uint8_t *out,
                                 size_t max_out_size, unsigned int seed);

static uint32_t below(struct cx_prng *prng, uint32_t bound)
{
    return (uint32_t)cx_prng_below(prng, bound);
}

static struct fuzz_op op_draw(struct cx_prng *prng)
{
    return (struct fuzz_op){.kind = (uint8_t)(1 + below(prng, FUZZ_OP_COUNT - 1)),
                            .argument = (uint8_t)below(prng, FUZZ_ARGUMENTS)};
}

static struct fuzz_op *thread_draw(struct cx_prng *prng, struct fuzz_program *program)
{
    return program->ops[below(prng, program->threads_more + 1u)];
}

static void op_insert(struct fuzz_op *ops, uint32_t at, struct fuzz_op op)
{
    memmove(&ops[at + 1], &ops[at], (FUZZ_OPS_MAX - 1 - at) * sizeof(*ops));
    ops[at] = op;
}

static void op_remove(struct fuzz_op *ops, uint32_t at)
{
    memmove(&ops[at], &ops[at + 1], (FUZZ_OPS_MAX - 1 - at) * sizeof(*ops));
    ops[FUZZ_OPS_MAX - 1] = (struct fuzz_op){0};
}

static void program_change(struct cx_prng *prng, struct fuzz_program *program)
{
    struct fuzz_op *ops = thread_draw(prng, program);
    uint32_t at = below(prng, FUZZ_OPS_MAX);
    uint32_t other = below(prng, FUZZ_OPS_MAX);
    struct fuzz_op kept = ops[at];
    switch (below(prng, 10)) {
    case 0:
    case 1:
    case 2:
        op_insert(ops, at, op_draw(prng));
        break;
    case 3:
    case 4:
        op_remove(ops, at);
        break;
    case 5:
        ops[at] = op_draw(prng);
        break;
    case 6:
        ops[at] = ops[other];
        ops[other] = kept;
        break;
    case 7:
        op_insert(thread_draw(prng, program), other, kept);
        break;
    case 8:
        program->end = (uint8_t)below(prng, FUZZ_END_COUNT);
        break;
    default:
        program->threads_more = (uint8_t)below(prng, FUZZ_THREADS_MAX);
        break;
    }
}

static size_t finish(const struct fuzz_lifecycle *input, uint8_t *out, size_t max_size)
{
    uint8_t bytes[FUZZ_LIFECYCLE_BYTES_MAX];
    return fuzz_bytes_fit(bytes, fuzz_lifecycle_write(input, bytes), out, max_size);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    struct cx_prng prng = {seed};
    struct fuzz_lifecycle input;
    fuzz_lifecycle_read(&input, data, size);
    uint32_t changes = 1 + below(&prng, CHANGES_MAX);
    int operations = fuzz_program_length(&input.program) == 0 || below(&prng, 2) == 0;
    for (uint32_t i = 0; i < changes; i++) {
        if (operations) {
            program_change(&prng, &input.program);
        } else {
            fuzz_schedule_change(&prng, &input.schedule, NULL);
        }
    }
    return finish(&input, data, max_size);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2, size_t size2, uint8_t *out,
                                 size_t max_out_size, unsigned int seed)
{
    struct cx_prng prng = {seed};
    struct fuzz_lifecycle input, other;
    fuzz_lifecycle_read(&input, data1, size1);
    fuzz_lifecycle_read(&other, data2, size2);
    if (below(&prng, 2) == 0) { // the program of one under the schedule of the other
        struct fuzz_program program = input.program;
        input = other;
        input.program = program;
    } else { // threads of both
        for (uint32_t i = 0; i < FUZZ_THREADS_MAX; i++) {
            if (below(&prng, 2) == 0) {
                memcpy(input.program.ops[i], other.program.ops[i], sizeof(input.program.ops[i]));
            }
        }
        input.program.threads_more = below(&prng, 2) == 0 ? other.program.threads_more : input.program.threads_more;
    }
    return finish(&input, out, max_out_size);
}
