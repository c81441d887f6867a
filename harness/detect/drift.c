// SPDX-License-Identifier: Apache-2.0
//
// drift: see drift.h.
#include "harness/detect/drift.h"

#include "harness/sched/again.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CX_DRIFT_TYPES_MAX 6 // that a message names

static const char *const singular[CX_TOTAL_COUNT] = {
    "reference", "reference in the pool", "object", "block of memory", "raw block", "raw byte"};
static const char *const plural[CX_TOTAL_COUNT] = {
    "references", "references in the pool", "objects", "blocks of memory", "raw blocks", "raw bytes"};

// What the play that `census` follows added. A type that came up later was absent before.
static int64_t added(const struct cx_census *census, uint32_t entry)
{
    int64_t before = entry < census[-1].count ? census[-1].values[entry] : 0;
    return census->values[entry] - before;
}

// True if every play after the first has added to this entry, or every one has taken away.
static int moves(const struct cx_census *censuses, uint32_t plays, uint32_t entry)
{
    int up = 0, down = 0;
    for (uint32_t i = 1; i < plays; i++) {
        int64_t change = entry < censuses[i].count ? added(&censuses[i], entry) : 0;
        up += change > 0;
        down += change < 0;
    }
    return up + 1 == (int)plays || down + 1 == (int)plays;
}

int cx_drift_suspected(const struct cx_census *censuses, uint32_t plays)
{
    for (uint32_t entry = 0; entry < censuses[plays - 1].count; entry++) {
        if (moves(censuses, plays, entry)) {
            return 1;
        }
    }
    return 0;
}

// What each play adds, if the last two agree; 0 if that cannot be said.
static int64_t slope(const struct cx_census *censuses, uint32_t entry)
{
    const struct cx_census *last = &censuses[CX_DRIFT_PLAYS - 1];
    if (entry >= last[-1].count || !moves(censuses, CX_DRIFT_PLAYS, entry)) {
        return 0;
    }
    return added(last, entry) == added(last - 1, entry) ? added(last, entry) : 0;
}

struct text {
    char *chars;
    size_t bytes;
    size_t used;
};

static void text_add(struct text *text, const char *separator, int64_t change, const char *what)
{
    int chars = snprintf(text->chars + text->used, text->bytes - text->used, "%s%+" PRId64 " %s",
                         text->used > 0 ? separator : "", change, what);
    text->used += (size_t)chars < text->bytes - text->used ? (size_t)chars : text->bytes - text->used - 1;
}

static void total_add(struct text *text, const char *separator, int64_t change, enum cx_total total)
{
    if (change != 0) {
        text_add(text, separator, change, change == 1 || change == -1 ? singular[total] : plural[total]);
    }
}

struct type_change {
    const char *name;
    int64_t change;
    uint32_t entry;
};

static int type_compare(const void *left, const void *right)
{
    return strcmp(((const struct type_change *)left)->name, ((const struct type_change *)right)->name);
}

// The types that drift, by name, and how many there are.
static size_t types_add(struct text *text, const struct cx_census *censuses, const char *const *types,
                        uint32_t *first_added)
{
    static struct type_change changes[CX_CENSUS_MAX];
    CX_LARGE(changes, NULL);
    size_t count = 0;
    for (uint32_t entry = CX_TOTAL_COUNT; entry < censuses[CX_DRIFT_PLAYS - 1].count; entry++) {
        int64_t change = slope(censuses, entry);
        if (change != 0) {
            changes[count++] =
                (struct type_change){.name = types[entry - CX_TOTAL_COUNT], .change = change, .entry = entry};
        }
    }
    qsort(changes, count, sizeof(changes[0]), type_compare);
    for (size_t i = count; i-- > 0;) {
        *first_added = changes[i].change > 0 ? changes[i].entry : *first_added;
    }
    for (size_t i = 0; i < count && i < CX_DRIFT_TYPES_MAX; i++) {
        text_add(text, ", ", changes[i].change, changes[i].name);
    }
    if (count > CX_DRIFT_TYPES_MAX) {
        text_add(text, ", and ", (int64_t)(count - CX_DRIFT_TYPES_MAX), "types more");
    }
    return count;
}

enum cx_outcome cx_drift_judge(const struct cx_census *censuses, const char *const *types, char *text_out,
                               size_t text_bytes, uint32_t *entry)
{
    struct text text = {.chars = text_out, .bytes = text_bytes};
    int64_t totals[CX_TOTAL_COUNT];
    text_out[0] = '\0';
    *entry = CX_TOTAL_REFERENCES;
    for (uint32_t total = 0; total < CX_TOTAL_COUNT; total++) {
        totals[total] = slope(censuses, total);
        int askable = total >= CX_TOTAL_OBJECTS && total <= CX_TOTAL_RAW;
        *entry = askable && totals[total] > 0 && *entry == CX_TOTAL_REFERENCES ? total : *entry;
    }
    size_t types_count = types_add(&text, censuses, types, entry);
    total_add(&text, ", ", totals[CX_TOTAL_REFERENCES], CX_TOTAL_REFERENCES);
    total_add(&text, ", ", totals[CX_TOTAL_POOLED], CX_TOTAL_POOLED);
    if (text.used == 0) {
        total_add(&text, ", ", totals[CX_TOTAL_OBJECTS], CX_TOTAL_OBJECTS);
    }
    int drifts = text.used > 0;
    if (types_count > 0) {
        total_add(&text, "; ", totals[CX_TOTAL_OBJECTS], CX_TOTAL_OBJECTS);
    }
    // Of a leak, blocks are the signature; of a drift, they are details.
    size_t before = text.used;
    for (enum cx_total total = CX_TOTAL_MEMORY; total <= CX_TOTAL_RAW; total++) {
        total_add(&text, drifts && text.used == before && strchr(text_out, ';') == NULL ? "; " : ", ", totals[total],
                  total);
    }
    if (text.used > 0) {
        total_add(&text, strchr(text_out, ';') == NULL ? "; " : ", ", totals[CX_TOTAL_RAW_BYTES], CX_TOTAL_RAW_BYTES);
    }
    return drifts ? CX_OUTCOME_DRIFT : text.used > 0 ? CX_OUTCOME_LEAK : CX_OUTCOME_PASS;
}
