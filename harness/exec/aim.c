// SPDX-License-Identifier: Apache-2.0
//
// aim: see aim.h.
#include "harness/exec/aim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/detect/places.h"
#include "harness/exec/within.h"

#define FRAMES_NARROWED 2 // functions of each stack whose accesses are points
#define PREFIX "function:"

// Make the points of these ranges, unless something has failed, and free the list.
static enum cx_status points_make(struct cx_points *points, struct cx_places *code, enum cx_status status,
                                  struct cx_error *error)
{
    struct cx_places data = {0};
    points->level = CX_POINTS_ACCESS;
    if (status == CX_OK) {
        status = cx_points_set(points, code, &data, error);
    }
    free(code->list);
    return status;
}

// The functions around one access: its own and the one that called it. Its address is, where it was made inside of libc
// or of an interceptor, that of the call. The allocator's own accesses are no points.
static enum cx_status side_find(struct cx_aim *aim, int side, const struct cx_symbol_stack *stack,
                                const struct cx_identity *identity, struct cx_places *code, struct cx_error *error)
{
    size_t own = code->count;
    uint32_t program = 1u << CX_FRAME_PROGRAM | 1u << CX_FRAME_FAILURE | 1u << CX_FRAME_WAITING;
    int access = cx_frame_first(stack, program | 1u << CX_FRAME_ATOMIC, 0);
    int at = cx_frame_first(stack, program, 0);
    enum cx_status status = CX_OK;
    if (access >= 0) {
        aim->race.pcs[side] = stack->frames[access].pc;
    }
    for (int i = 0; i < FRAMES_NARROWED && at >= 0 && status == CX_OK; i++) {
        char name[CX_PLACE_NAME_BYTES];
        char word[CX_PLACE_NAME_BYTES + sizeof(PREFIX)];
        status = cx_places_around(identity, stack->frames[at].pc - 1, code, name, error);
        if (name[0] != '\0') {
            snprintf(word, sizeof(word), PREFIX "%s", name);
            cx_names_add(&aim->words, word);
        }
        at = cx_frame_first(stack, program, (uint32_t)at + 1);
    }
    if (status == CX_OK && code->count > own) {
        aim->race.around[side] = code->list[own];
    }
    return status;
}

enum cx_status cx_aim_find(struct cx_aim *aim, const struct cx_race *race, const struct cx_resolver *resolver,
                           const struct cx_identity *identity, struct cx_error *error)
{
    struct cx_places code = {0};
    enum cx_status status = CX_OK;
    memset(aim, 0, sizeof(*aim));
    for (int i = 0; i < 2 && status == CX_OK; i++) {
        struct cx_symbol_stack stack;
        aim->race.pcs[i] = race->accesses[i].stack.pcs[0];
        aim->race.threads[i] = race->accesses[i].thread;
        resolver->stack(resolver->context, &race->accesses[i].stack, CX_STACK_REPORT, &stack);
        status = side_find(aim, i, &stack, identity, &code, error);
    }
    status = points_make(&aim->points, &code, status, error);
    if (status != CX_OK) {
        cx_aim_fini(aim);
    }
    return status;
}

enum cx_status cx_aim_join(struct cx_aim *aim, const struct cx_aim *before, struct cx_error *error)
{
    struct cx_places code = {0};
    struct cx_points joined = {0};
    const struct cx_points *both[] = {&aim->points, &before->points};
    enum cx_status status = CX_OK;
    for (uint32_t i = 0; i < 2; i++) {
        for (uint32_t j = 0; j < both[i]->code_count && status == CX_OK; j++) {
            status = cx_places_add(&code, both[i]->ranges[j].start, both[i]->ranges[j].end, error);
        }
    }
    status = points_make(&joined, &code, status, error);
    if (status == CX_OK) {
        aim->points = joined;
        for (size_t i = 0; i < before->words.count; i++) {
            cx_names_add(&aim->words, before->words.list[i]);
        }
    }
    return status;
}

enum cx_status cx_aim_elsewhere(struct cx_points *points, const struct cx_names *words,
                                const struct cx_identity *identity, struct cx_error *error)
{
    struct cx_places code = {0};
    enum cx_status status = CX_OK;
    memset(points, 0, sizeof(*points));
    for (size_t i = 0; i < words->count && status == CX_OK; i++) {
        status = cx_places_symbol(identity, words->list[i] + strlen(PREFIX), &code, error);
    }
    return points_make(points, &code, status, error);
}

void cx_aim_fini(struct cx_aim *aim)
{
    cx_names_fini(&aim->words);
}
