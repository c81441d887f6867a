// SPDX-License-Identifier: Apache-2.0
//
// align: the switches of one run, at the same places of another one whose threads do a little less, or more.
//
// A point is named by its thread's own count, so that an operation that goes from a program moves the points of what
// comes behind it. What the thread does there is the same, though: the two runs of each thread are laid side by side,
// step by step, and where they part, the shortest piece is passed over, in one or the other, behind which they agree
// again. A switch in a piece that is passed over has no place any more.
#include <stdlib.h>

#include "harness/trace/shrink.h"

#define CX_AGREE_STEPS 12        // equal steps in a row that count as agreement
#define CX_PIECE_MAX 60000       // steps that are passed over at once
#define CX_COMPARES_MAX 40000000 // for one thread; what is left keeps the distance that it has

// The steps of one thread.
struct track {
    const struct cx_step **steps; // owned; the steps are borrowed
    size_t count;
};

static int track_take(struct track *track, const struct cx_step *steps, size_t count, uint32_t thread)
{
    track->count = 0;
    for (size_t i = 0; i < count; i++) {
        track->count += steps[i].thread == thread;
    }
    track->steps = malloc((track->count + 1) * sizeof(*track->steps));
    for (size_t i = 0, at = 0; i < count && track->steps != NULL; i++) {
        if (steps[i].thread == thread) {
            track->steps[at++] = &steps[i];
        }
    }
    return track->steps != NULL;
}

static int agree(const struct track *left, size_t i, const struct track *right, size_t j, size_t steps)
{
    for (size_t k = 0; k < steps; k++) {
        if (i + k >= left->count || j + k >= right->count) {
            return k > 0;
        }
        if (left->steps[i + k]->op != right->steps[j + k]->op ||
            left->steps[i + k]->caller != right->steps[j + k]->caller) {
            return 0;
        }
    }
    return 1;
}

// Go on behind the shortest piece that one has and the other has not. 0: there is none.
static int piece_pass(const struct track *from, size_t *i, const struct track *to, size_t *j, uint64_t *compares)
{
    for (size_t piece = 1; piece < CX_PIECE_MAX && *compares < CX_COMPARES_MAX; piece++) {
        *compares += 2;
        if (*i + piece < from->count && agree(from, *i + piece, to, *j, CX_AGREE_STEPS)) {
            *i += piece;
            return 1;
        }
        if (*j + piece < to->count && agree(from, *i, to, *j + piece, CX_AGREE_STEPS)) {
            *j += piece;
            return 1;
        }
    }
    return 0;
}

// The plan's switches of a thread, in the order of their points: each gets its new point, or 0.
static void points_move(const struct track *from, const struct track *to, struct cx_deviation *plan, size_t plan_count,
                        uint32_t thread)
{
    uint64_t compares = 0;
    size_t i = 0, j = 0;
    int aligned = 1;
    for (size_t k = 0; k < plan_count; k++) {
        struct cx_deviation *entry = &plan[k];
        if (entry->kind != CX_DEVIATION_SWITCH || entry->thread != thread) {
            continue;
        }
        while (aligned && i < from->count && j < to->count && from->steps[i]->point <= entry->point) {
            int same = agree(from, i, to, j, 1);
            if (same && from->steps[i]->point == entry->point) {
                break;
            }
            i += (size_t)same;
            j += (size_t)same;
            aligned = same || piece_pass(from, &i, to, &j, &compares);
        }
        if (i >= from->count || j >= to->count || from->steps[i]->point > entry->point) {
            entry->point = 0; // passed over
        } else {
            entry->point = entry->point - from->steps[i]->point + to->steps[j]->point;
        }
    }
}

enum cx_status cx_shrink__align(const struct cx_shrink_log *from, const struct cx_shrink_log *to,
                                struct cx_deviation *plan, size_t *plan_count, struct cx_error *error)
{
    enum cx_status status = CX_OK;
    size_t kept = 0;
    for (size_t k = 0; k < *plan_count && status == CX_OK; k++) {
        uint32_t thread = plan[k].thread;
        size_t earlier = 0;
        while (earlier < k && (plan[earlier].kind != CX_DEVIATION_SWITCH || plan[earlier].thread != thread)) {
            earlier++;
        }
        if (plan[k].kind == CX_DEVIATION_SWITCH && earlier == k) {
            struct track left = {0}, right = {0};
            if (track_take(&left, from->steps, from->count, thread) &&
                track_take(&right, to->steps, to->count, thread)) {
                points_move(&left, &right, plan, *plan_count, thread);
            } else {
                status = cx_error_set(error, CX_ERR_MEMORY, "out of memory");
            }
            free(left.steps);
            free(right.steps);
        }
    }
    for (size_t k = 0; k < *plan_count; k++) {
        if (plan[k].kind != CX_DEVIATION_SWITCH || plan[k].point != 0) {
            plan[kept++] = plan[k];
        }
    }
    *plan_count = kept;
    return status;
}
