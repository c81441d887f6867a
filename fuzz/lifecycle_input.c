// SPDX-License-Identifier: Apache-2.0
//
// lifecycle_input: see lifecycle_input.h.
#include "fuzz/lifecycle_input.h"

#include <string.h>

// Bytes of the fields that are left.
struct cursor {
    const uint8_t *from;
    size_t left;
    uint8_t *to;
};

static void field_take(void *context, uint8_t *value, uint32_t values)
{
    struct cursor *cursor = context;
    *value = 0;
    if (cursor->left > 0) {
        *value = (uint8_t)(*cursor->from++ % values);
        cursor->left--;
    }
}

static void field_put(void *context, uint8_t *value, uint32_t values)
{
    struct cursor *cursor = context;
    (void)values;
    *cursor->to++ = *value;
}

void fuzz_lifecycle_read(struct fuzz_lifecycle *input, const uint8_t *data, size_t size)
{
    struct cursor cursor = {.from = data, .left = size};
    memset(input, 0, sizeof(*input));
    fuzz_program_walk(&input->program, field_take, &cursor);
    fuzz_schedule_read(&input->schedule, cursor.from, cursor.left);
}

size_t fuzz_lifecycle_write(const struct fuzz_lifecycle *input, uint8_t *data)
{
    struct cursor cursor = {.to = data};
    struct fuzz_program program = input->program;
    fuzz_program_walk(&program, field_put, &cursor);
    return FUZZ_PROGRAM_FIELDS + fuzz_schedule_write(&input->schedule, cursor.to);
}

struct picks {
    struct cx_deviation *plan;
    uint32_t count;
    uint64_t point;
};

static void field_pick(void *context, uint8_t *value, uint32_t values)
{
    struct picks *picks = context;
    (void)values;
    picks->point++;
    if (*value != 0) {
        picks->plan[picks->count++] = (struct cx_deviation){.point = picks->point,
                                                            .thread = CX_THREAD_KEY_MAIN,
                                                            .choice = *value,
                                                            .kind = CX_DEVIATION_PICK,
                                                            .op = CX_OP_CHOOSE};
    }
}

uint32_t fuzz_lifecycle_plan(const struct fuzz_lifecycle *input, uint32_t plays, struct cx_deviation *plan,
                             uint32_t *picks_count)
{
    struct fuzz_program program = input->program;
    struct picks picks = {.plan = plan};
    for (uint32_t i = 0; i < plays; i++) {
        fuzz_program_walk(&program, field_pick, &picks);
    }
    *picks_count = picks.count;
    return picks.count + fuzz_schedule_plan(&input->schedule, plan + picks.count);
}

struct lookup {
    const struct cx_deviation *plan;
    size_t count;
    uint64_t point;
};

static void field_find(void *context, uint8_t *value, uint32_t values)
{
    struct lookup *lookup = context;
    lookup->point++;
    *value = 0;
    for (size_t i = 0; i < lookup->count; i++) {
        const struct cx_deviation *entry = &lookup->plan[i];
        if (entry->kind == CX_DEVIATION_PICK && entry->thread == CX_THREAD_KEY_MAIN && entry->point == lookup->point &&
            entry->choice < values) {
            *value = (uint8_t)entry->choice;
        }
    }
}

void fuzz_lifecycle_from_plan(struct fuzz_program *program, const struct cx_deviation *plan, size_t count)
{
    struct lookup lookup = {.plan = plan, .count = count};
    fuzz_program_walk(program, field_find, &lookup);
}
