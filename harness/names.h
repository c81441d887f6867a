// SPDX-License-Identifier: Apache-2.0
//
// names: lists of names, and the ones that somebody may have meant.
#ifndef CX_NAMES_H
#define CX_NAMES_H

#include <stddef.h>

// A growing list of names. Zeroed memory is a valid, empty list.
struct cx_names {
    char **list; // owned, each of them too
    size_t count;
};

void cx_names_fini(struct cx_names *names);

// Add a copy of a name at the end.
void cx_names_append(struct cx_names *names, const char *name);

// Add a copy of a name unless it is there already.
void cx_names_add(struct cx_names *names, const char *name);

// Add the words of a text, which spaces separate.
void cx_names_split(struct cx_names *names, const char *text);

// 1 if the list has this name.
int cx_names_have(const struct cx_names *names, const char *name);

// In the order of strcmp().
void cx_names_sort(struct cx_names *names);

// Write up to three names near `word` as "a, b or c"; empty when none is near.
void cx_names_nearest(const struct cx_names *names, const char *word, char *text, size_t text_bytes);

// Insertions, deletions and replacements between two words.
size_t cx_names_distance(const char *left, const char *right);

#endif
