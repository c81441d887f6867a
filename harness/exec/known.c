// SPDX-License-Identifier: Apache-2.0
//
// known: see known.h. This file matches; known_read.c reads.
#include "harness/exec/known.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/exec/pattern.h"

#define CX_LUCK_MAX 0.001

static const char *const kind_names[] = {"defect", "misuse", "documented"};

const char *cx_known_kind_name(enum cx_known_kind kind)
{
    return kind_names[kind];
}

void cx_known_target(const struct cx_identity *identity, const char *target, char name[CX_KNOWN_TARGET_BYTES])
{
    if (identity->python[0] == '\0') {
        snprintf(name, CX_KNOWN_TARGET_BYTES, "%s", target);
        return;
    }
    const char *build = identity->tsan ? "tsan" : identity->debug ? "debug" : "release";
    snprintf(name, CX_KNOWN_TARGET_BYTES, "%s-%s-%s", identity->python, identity->gil_build ? "gil" : "ft", build);
}

// The runners without CPython ("plain", "plain-tsan") have none of its defects: no wildcard means them.
static int fits(const struct cx_names *patterns, const char *name)
{
    int plain = strncmp(name, "plain", 5) == 0 && strchr(name, '/') == NULL;
    for (size_t i = 0; i < patterns->count; i++) {
        if (fnmatch(patterns->list[i], name, 0) == 0 && (!plain || patterns->list[i][0] == 'p')) {
            return 1;
        }
    }
    return 0;
}

const struct cx_known_place *cx_known_place(const struct cx_known_entry *entry, const char *target,
                                            const char *scenario)
{
    for (size_t i = 0; i < entry->places_count; i++) {
        if (fits(&entry->places[i].targets, target) && fits(&entry->places[i].scenarios, scenario)) {
            return &entry->places[i];
        }
    }
    return NULL;
}

// A version as one number that orders as versions do; 0 for what is no version. "3.15.0rc2" comes before "3.15.0".
static uint64_t version_number(const char *text)
{
    unsigned major = 0, minor = 0, micro = 0, serial = 0;
    int chars = 0;
    if (sscanf(text, "%u.%u.%u%n", &major, &minor, &micro, &chars) < 3) {
        return 0;
    }
    const char *rest = text + chars;
    uint64_t level = 15;
    if (rest[0] == 'a' || rest[0] == 'b' || strncmp(rest, "rc", 2) == 0) {
        level = rest[0] == 'a' ? 10 : rest[0] == 'b' ? 11 : 12;
        sscanf(rest + (rest[0] == 'r' ? 2 : 1), "%u", &serial);
    }
    return (uint64_t)major << 48 | (uint64_t)minor << 32 | (uint64_t)micro << 16 | level << 8 | serial;
}

int cx_known_fixed(const struct cx_known_entry *entry, const char *target)
{
    uint64_t version = version_number(target);
    uint64_t newest = 0;
    if (version == 0) {
        return 0;
    }
    for (size_t i = 0; i < entry->fixed_in.count; i++) {
        uint64_t fix = version_number(entry->fixed_in.list[i]);
        if (fix >> 32 == version >> 32) {
            return version >= fix; // the fix came to this branch
        }
        newest = fix > newest ? fix : newest;
    }
    return newest != 0 && version > newest;
}

static int one_matches(const struct cx_names *patterns, const char *signature)
{
    for (size_t i = 0; i < patterns->count; i++) {
        if (cx_pattern_matches(patterns->list[i], signature)) {
            return 1;
        }
    }
    return 0;
}

static int matches(const struct cx_known_entry *entry, const char *signature)
{
    return one_matches(&entry->signatures, signature) && !one_matches(&entry->unless, signature);
}

// True if the entry has a place for this scenario, on whatever target.
static int has_scenario(const struct cx_known_entry *entry, const char *scenario)
{
    for (size_t i = 0; i < entry->places_count; i++) {
        if (fits(&entry->places[i].scenarios, scenario)) {
            return 1;
        }
    }
    return 0;
}

struct cx_known_match cx_known_find(const struct cx_known *known, const char *target, const char *scenario,
                                    const char *signature)
{
    struct cx_known_match match = {0};
    for (size_t i = 0; i < known->count; i++) {
        const struct cx_known_entry *entry = &known->entries[i];
        int expected = cx_known_place(entry, target, scenario) != NULL;
        int fixed = match.entry == NULL && has_scenario(entry, scenario) && cx_known_fixed(entry, target);
        if ((!expected && !fixed) || !matches(entry, signature)) {
            continue;
        }
        if (expected) {
            return (struct cx_known_match){.entry = entry};
        }
        match = (struct cx_known_match){.entry = entry, .regressed = 1};
    }
    return match;
}

int cx_known_missed(const struct cx_known_place *place, uint64_t runs)
{
    double luck = 1;
    for (uint64_t i = 0; i < runs && place->rate > 0 && luck >= CX_LUCK_MAX; i++) {
        luck *= 1 - place->rate;
    }
    return luck < CX_LUCK_MAX;
}

// The first pattern of a place that fits no scenario, or NULL.
static const char *stale_pattern(const struct cx_known_place *place, const struct cx_scenario_info *scenarios,
                                 uint32_t count)
{
    for (size_t i = 0; i < place->scenarios.count; i++) {
        int found = 0;
        for (uint32_t s = 0; s < count; s++) {
            found |= fnmatch(place->scenarios.list[i], scenarios[s].name, 0) == 0;
        }
        if (!found) {
            return place->scenarios.list[i];
        }
    }
    return NULL;
}

enum cx_status cx_known_check(const struct cx_known *known, const char *target,
                              const struct cx_scenario_info *scenarios, uint32_t count, struct cx_error *error)
{
    for (size_t i = 0; i < known->count; i++) {
        const struct cx_known_entry *entry = &known->entries[i];
        for (size_t k = 0; k < entry->places_count; k++) {
            const struct cx_known_place *place = &entry->places[k];
            const char *stale = fits(&place->targets, target) ? stale_pattern(place, scenarios, count) : NULL;
            if (stale != NULL) {
                return cx_error_set(error, CX_ERR_FORMAT,
                                    "known defects: %s: no scenario of %s fits \"%s\": a stale entry, or an old runner",
                                    entry->id, target, stale);
            }
        }
    }
    return CX_OK;
}
