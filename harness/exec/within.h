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

// Add the places of these words. A name that the program lacks is an error, with the nearest ones that it has.
enum cx_status cx_within_add(const struct cx_names *words, const struct cx_identity *identity, struct cx_places *code,
                             struct cx_places *data, struct cx_error *error);

// Make them the ranges of `points`: sorted, joined where they meet.
enum cx_status cx_points_set(struct cx_points *points, struct cx_places *code, struct cx_places *data,
                             struct cx_error *error);

// Ranges as text, "0x401000-0x401080 data 0x603010-0x603018", or "-" for none; and back. CX_ERR_FORMAT.
#define CX_RANGES_CHARS_MAX (CX_RANGES_MAX * 40 + 10)
void cx_points_text(const struct cx_points *points, char *text, size_t text_bytes);
enum cx_status cx_points_parse(struct cx_points *points, const char *text, struct cx_error *error);

#endif
