// SPDX-License-Identifier: Apache-2.0
//
// within: which plain accesses a person wants as points, in words: function:NAME, file:NAME, object:NAME. From words to
// the ranges of a request (points.h), and between ranges and their line in a schedule file.
#ifndef CX_EXEC_WITHIN_H
#define CX_EXEC_WITHIN_H

#include "harness/detect/places.h"
#include "harness/exec/channel.h"
#include "harness/names.h"
#include "harness/status.h"
#include "harness/trace/schedule.h"

// "sync", "atomic" or "access".
enum cx_status cx_points_level_parse(const char *text, uint32_t *level, struct cx_error *error);
const char *cx_points_level_name(uint32_t level);

// 1 if no range narrows the accesses.
static inline int cx_points_all(const struct cx_points *points)
{
    return points->code_count + points->data_count == 0;
}

// Check the form of one word; says what is wrong with it.
enum cx_status cx_within_check(const char *word, struct cx_error *error);

// Add a word to the list; for race:FILE, the functions of the two accesses of the race that this schedule file shows.
enum cx_status cx_within_append(struct cx_names *words, const char *word, struct cx_error *error);

// Add the places of these words. A name that the program lacks is an error, with the nearest ones that it has.
enum cx_status cx_within_add(const struct cx_names *words, const struct cx_identity *identity, struct cx_places *code,
                             struct cx_places *data, struct cx_error *error);

// Make them the ranges of `points`: sorted, joined where they meet.
enum cx_status cx_points_set(struct cx_points *points, struct cx_places *code, struct cx_places *data,
                             struct cx_error *error);

// What a request of this target is to have, from words; says which targets can when this one cannot.
enum cx_status cx_within_resolve(struct cx_points *points, uint32_t level, const struct cx_names *words,
                                 const struct cx_identity *identity, int subject, struct cx_error *error);

// 1 if plain accesses were to be points and none was.
static inline int cx_points_missed(const struct cx_points *points, uint32_t accesses_seen)
{
    return points->level == CX_POINTS_ACCESS && !accesses_seen;
}

// The lines of a schedule file: from a request, and back.
void cx_within_save(const struct cx_points *points, const struct cx_names *words, struct cx_schedule *schedule);
enum cx_status cx_within_restore(const struct cx_schedule *schedule, struct cx_points *points, struct cx_error *error);

// Ranges as text, "0x401000-0x401080 data 0x603010-0x603018", or "-" for none; and back. CX_ERR_FORMAT.
void cx_points_text(const struct cx_points *points, char *text, size_t text_bytes);
enum cx_status cx_points_parse(struct cx_points *points, const char *text, struct cx_error *error);

#endif
