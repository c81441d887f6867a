// SPDX-License-Identifier: Apache-2.0
//
// names: see names.h.
#include "harness/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CX_NEAREST_MAX 3
#define CX_WORD_CHARS_MAX 128

void cx_names_fini(struct cx_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->list[i]);
    }
    free(names->list);
    memset(names, 0, sizeof(*names));
}

int cx_names_have(const struct cx_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->list[i], name) == 0) {
            return 1;
        }
    }
    return 0;
}

void cx_names_append(struct cx_names *names, const char *name)
{
    char **list = realloc(names->list, (names->count + 1) * sizeof(*list));
    char *copy = strdup(name);
    if (list == NULL || copy == NULL) {
        abort(); // a few bytes at the start of a command: nothing sensible can follow
    }
    names->list = list;
    names->list[names->count++] = copy;
}

void cx_names_add(struct cx_names *names, const char *name)
{
    if (!cx_names_have(names, name)) {
        cx_names_append(names, name);
    }
}

void cx_names_split(struct cx_names *names, const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL) {
        abort(); // as above
    }
    char *rest = NULL;
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        cx_names_append(names, word);
    }
    free(copy);
}

static int name_compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

void cx_names_sort(struct cx_names *names)
{
    if (names->count > 1) {
        qsort(names->list, names->count, sizeof(*names->list), name_compare);
    }
}

size_t cx_names_distance(const char *left, const char *right)
{
    size_t row[CX_WORD_CHARS_MAX + 1];
    size_t right_chars = strnlen(right, CX_WORD_CHARS_MAX);
    for (size_t k = 0; k <= right_chars; k++) {
        row[k] = k;
    }
    for (size_t i = 0; left[i] != '\0' && i < CX_WORD_CHARS_MAX; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t k = 0; k < right_chars; k++) {
            size_t replaced = diagonal + (left[i] != right[k]);
            diagonal = row[k + 1];
            size_t best = row[k] < row[k + 1] ? row[k] + 1 : row[k + 1] + 1;
            row[k + 1] = replaced < best ? replaced : best;
        }
    }
    return row[right_chars];
}

// The distance to a name, or to its part after the last slash: "nested_swap" is near "critical/nested_swap".
static size_t word_distance(const char *name, const char *word)
{
    size_t whole = cx_names_distance(name, word);
    if (whole > 1 && strlen(word) > 2 && strstr(name, word) != NULL) {
        return 1; // a part of the name
    }
    const char *slash = strrchr(name, '/');
    if (slash == NULL || strchr(word, '/') != NULL) {
        return whole;
    }
    size_t part = cx_names_distance(slash + 1, word);
    return part < whole ? part : whole;
}

void cx_names_nearest(const struct cx_names *names, const char *word, char *text, size_t text_bytes)
{
    size_t limit = strnlen(word, CX_WORD_CHARS_MAX) / 2 + 1; // no distance is longer
    size_t *distances = malloc((names->count + 1) * sizeof(*distances));
    const char *chosen[CX_NEAREST_MAX] = {0};
    int chosen_count = 0;
    for (size_t i = 0; distances != NULL && i < names->count; i++) {
        distances[i] = word_distance(names->list[i], word);
    }
    for (size_t distance = 0; distances != NULL && distance <= limit && chosen_count < CX_NEAREST_MAX; distance++) {
        for (size_t i = 0; i < names->count && chosen_count < CX_NEAREST_MAX; i++) {
            if (distances[i] == distance) {
                limit = chosen_count == 0 && limit > distance + 2 ? distance + 2 : limit; // nothing much worse
                chosen[chosen_count++] = names->list[i];
            }
        }
    }
    free(distances);
    text[0] = '\0';
    for (int i = 0; i < chosen_count; i++) {
        size_t used = strlen(text);
        const char *separator = i == 0 ? "" : i + 1 == chosen_count ? " or " : ", ";
        snprintf(text + used, text_bytes - used, "%s%s", separator, chosen[i]);
    }
}
