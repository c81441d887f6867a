// SPDX-License-Identifier: Apache-2.0
//
// within: see within.h.
#include "harness/exec/within.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const levels[CX_POINTS_COUNT] = {
    [CX_POINTS_ATOMIC] = "atomic",
    [CX_POINTS_SYNC] = "sync",
    [CX_POINTS_ACCESS] = "access",
};

static const struct {
    const char *prefix;
    enum cx_place_kind kind;
    const char *what;
} kinds[] = {
    {"function:", CX_PLACE_FUNCTION, "function"},
    {"file:", CX_PLACE_FILE, "source file"},
    {"object:", CX_PLACE_OBJECT, "object"},
};
#define KINDS_COUNT (sizeof(kinds) / sizeof(kinds[0]))
#define CX_RACE_WORD_BYTES 1100 // a whole signature and more

enum cx_status cx_points_level_parse(const char *text, uint32_t *level, struct cx_error *error)
{
    for (uint32_t i = 0; i < CX_POINTS_COUNT; i++) {
        if (strcmp(text, levels[i]) == 0) {
            *level = i;
            return CX_OK;
        }
    }
    return cx_error_set(error, CX_ERR_USAGE, "--points %s: there are sync, atomic and access", text);
}

const char *cx_points_level_name(uint32_t level)
{
    return level < CX_POINTS_COUNT ? levels[level] : "?";
}

// The entry of kinds[] that a word begins with; KINDS_COUNT if none.
static size_t kind_of(const char *word)
{
    size_t i = 0;
    while (i < KINDS_COUNT && strncmp(word, kinds[i].prefix, strlen(kinds[i].prefix)) != 0) {
        i++;
    }
    return i;
}

enum cx_status cx_within_check(const char *word, struct cx_error *error)
{
    size_t kind = kind_of(word);
    if (kind == KINDS_COUNT || word[strlen(kinds[kind].prefix)] == '\0') {
        return cx_error_set(error, CX_ERR_USAGE,
                            "--points-in %s: expected function:NAME, file:NAME, object:NAME or "
                            "race:FILE",
                            word);
    }
    return CX_OK;
}

// "race reader / writer [0123456789ab]", with the kind of race before the first name where it is no data race.
static enum cx_status race_append(struct cx_names *words, const char *path, struct cx_error *error)
{
    struct cx_schedule schedule = {0};
    enum cx_status status = cx_schedule_read(&schedule, path, error);
    if (status != CX_OK) {
        return status;
    }
    char *first = strncmp(schedule.signature, "race ", 5) == 0 ? schedule.signature + 5 : NULL;
    char *slash = first != NULL ? strstr(first, " / ") : NULL;
    char *end = slash != NULL ? strrchr(slash, '[') : NULL;
    if (end == NULL || end - slash < 5) {
        status = cx_error_set(error, CX_ERR_USAGE,
                              "--points-in race:%s: this is no schedule of a race between two "
                              "functions",
                              path);
    } else {
        static const char freed[] = "heap-use-after-free ";
        char word[CX_RACE_WORD_BYTES];
        first += strncmp(first, freed, sizeof(freed) - 1) == 0 ? sizeof(freed) - 1 : 0;
        snprintf(word, sizeof(word), "function:%.*s", (int)(slash - first), first);
        cx_names_append(words, word);
        snprintf(word, sizeof(word), "function:%.*s", (int)(end - slash - 4), slash + 3);
        cx_names_append(words, word);
    }
    cx_schedule_fini(&schedule);
    return status;
}

enum cx_status cx_within_append(struct cx_names *words, const char *word, struct cx_error *error)
{
    static const char race[] = "race:";
    if (strncmp(word, race, sizeof(race) - 1) == 0 && word[sizeof(race) - 1] != '\0') {
        return race_append(words, word + sizeof(race) - 1, error);
    }
    enum cx_status status = cx_within_check(word, error);
    if (status == CX_OK) {
        cx_names_append(words, word);
    }
    return status;
}

static enum cx_status unknown(const char *what, const char *name, struct cx_names *known, struct cx_error *error)
{
    struct cx_names once = {0};
    char nearest[300];
    cx_names_sort(known);
    for (size_t i = 0; i < known->count; i++) {
        if (i == 0 || strcmp(known->list[i - 1], known->list[i]) != 0) {
            cx_names_append(&once, known->list[i]);
        }
    }
    cx_names_nearest(&once, name, nearest, sizeof(nearest));
    int none = once.count == 0;
    cx_names_fini(&once);
    return cx_error_set(error, CX_ERR_USAGE, "the program has no %s \"%s\"%s%s%s", what, name,
                        nearest[0] != '\0' ? ": nearest are " : "", nearest,
                        none ? "; it has no debugging information (-g)" : "");
}

enum cx_status cx_within_add(const struct cx_names *words, const struct cx_identity *identity, struct cx_places *code,
                             struct cx_places *data, struct cx_error *error)
{
    enum cx_status status = CX_OK;
    for (size_t i = 0; i < words->count && status == CX_OK; i++) {
        size_t kind = kind_of(words->list[i]);
        if (kind == KINDS_COUNT) {
            continue;
        }
        const char *name = words->list[i] + strlen(kinds[kind].prefix);
        struct cx_places *places = kinds[kind].kind == CX_PLACE_OBJECT ? data : code;
        struct cx_names known = {0};
        size_t before = places->count;
        status = cx_places_find(identity, kinds[kind].kind, name, places, &known, error);
        if (status == CX_OK && places->count == before) {
            status = unknown(kinds[kind].what, name, &known, error);
        }
        cx_names_fini(&known);
    }
    return status;
}

static int by_start(const void *left, const void *right)
{
    const struct cx_range *a = left;
    const struct cx_range *b = right;
    return (a->start > b->start) - (a->start < b->start);
}

static enum cx_status ranges_join(struct cx_points *points, uint32_t first, uint32_t *count, struct cx_places *places,
                                  struct cx_error *error)
{
    if (places->count > 0) {
        qsort(places->list, places->count, sizeof(*places->list), by_start);
    }
    *count = 0;
    for (size_t i = 0; i < places->count; i++) {
        struct cx_range *last = *count > 0 ? &points->ranges[first + *count - 1] : NULL;
        if (last != NULL && places->list[i].start <= last->end) {
            last->end = places->list[i].end > last->end ? places->list[i].end : last->end;
        } else if (first + *count == CX_RANGES_MAX) {
            return cx_error_set(error, CX_ERR_USAGE, "--points-in: more than %d ranges of addresses; name fewer places",
                                CX_RANGES_MAX);
        } else {
            points->ranges[first + (*count)++] = places->list[i];
        }
    }
    return CX_OK;
}

enum cx_status cx_points_set(struct cx_points *points, struct cx_places *code, struct cx_places *data,
                             struct cx_error *error)
{
    enum cx_status status = ranges_join(points, 0, &points->code_count, code, error);
    return status == CX_OK ? ranges_join(points, points->code_count, &points->data_count, data, error) : status;
}

void cx_points_text(const struct cx_points *points, char *text, size_t text_bytes)
{
    size_t at = 0;
    snprintf(text, text_bytes, "-");
    for (uint32_t i = 0; i < points->code_count + points->data_count && at < text_bytes; i++) {
        at += (size_t)snprintf(text + at, text_bytes - at, "%s%s0x%" PRIx64 "-0x%" PRIx64, i > 0 ? " " : "",
                               i == points->code_count ? "data " : "", points->ranges[i].start, points->ranges[i].end);
    }
}

enum cx_status cx_points_parse(struct cx_points *points, const char *text, struct cx_error *error)
{
    uint32_t *count = &points->code_count;
    points->code_count = points->data_count = 0;
    if (strcmp(text, "-") == 0) {
        return CX_OK;
    }
    for (const char *at = text; *at != '\0';) {
        uint64_t start = 0;
        uint64_t end = 0;
        int chars = 0;
        if (count == &points->code_count && strncmp(at, "data ", 5) == 0) {
            count = &points->data_count;
            at += 5;
        }
        uint32_t i = points->code_count + points->data_count;
        if (i == CX_RANGES_MAX || sscanf(at, "0x%" SCNx64 "-0x%" SCNx64 "%n", &start, &end, &chars) != 2 ||
            start >= end || (at[chars] != '\0' && at[chars] != ' ')) {
            return cx_error_set(error, CX_ERR_FORMAT, "\"%.60s\" is no range of addresses", at);
        }
        points->ranges[i] = (struct cx_range){start, end};
        (*count)++;
        at += chars + (at[chars] == ' ');
    }
    return CX_OK;
}

enum cx_status cx_within_resolve(struct cx_points *points, uint32_t level, const struct cx_names *words,
                                 const struct cx_identity *identity, int subject, struct cx_error *error)
{
    struct cx_places code = {0};
    struct cx_places data = {0};
    memset(points, 0, sizeof(*points));
    points->level = level;
    // A script may import a module of C that is instrumented, where its interpreter is not.
    int script = subject && identity->python[0] != '\0';
    if (level == CX_POINTS_ACCESS && !identity->accesses && !script) {
        return cx_error_set(
            error, CX_ERR_USAGE,
            "--points access: %s is not instrumented for plain accesses; targets that end in -tsan are, and "
            "programs of `constrictor cc --access` or --tsan",
            identity->target);
    }
    enum cx_status status = cx_within_add(words, identity, &code, &data, error);
    if (status == CX_OK) {
        status = cx_points_set(points, &code, &data, error);
    }
    free(code.list);
    free(data.list);
    return status;
}

void cx_within_save(const struct cx_points *points, const struct cx_names *words, struct cx_schedule *schedule)
{
    if (points->level == CX_POINTS_ATOMIC) {
        return;
    }
    size_t at = 0;
    snprintf(schedule->within, sizeof(schedule->within), "-");
    snprintf(schedule->points, sizeof(schedule->points), "%s", cx_points_level_name(points->level));
    for (size_t i = 0; i < words->count; i++) {
        // The ranges are what is played; a long list of names ends early.
        size_t room = sizeof(schedule->within) - at;
        int more = i + 1 < words->count;
        if (strlen(words->list[i]) + 1 + sizeof(" ...") * (size_t)more > room) {
            snprintf(schedule->within + at, room, " ...");
            break;
        }
        at += (size_t)snprintf(schedule->within + at, room, "%s%s", i > 0 ? " " : "", words->list[i]);
    }
    cx_points_text(points, schedule->ranges, sizeof(schedule->ranges));
}

enum cx_status cx_within_restore(const struct cx_schedule *schedule, struct cx_points *points, struct cx_error *error)
{
    memset(points, 0, sizeof(*points));
    if (schedule->points[0] == '\0') {
        return CX_OK;
    }
    enum cx_status status = cx_points_level_parse(schedule->points, &points->level, error);
    return status == CX_OK ? cx_points_parse(points, schedule->ranges, error) : status;
}
