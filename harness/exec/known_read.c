// SPDX-License-Identifier: Apache-2.0
//
// known_read: known.json into struct cx_known, strictly: every key is known, every pattern parses, every target can be
// built. See known.h.
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/exec/known.h"
#include "harness/exec/pattern.h"
#include "harness/exec/targets.h"

static enum cx_status patterns_read(const char *id, json_t *list, struct cx_names *patterns, struct cx_error *error)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        char reason[120] = "it is no text";
        if (text == NULL || cx_pattern_check(text, reason, sizeof(reason)) != 0) {
            return cx_error_set(error, CX_ERR_FORMAT, "%s: signature \"%s\" does not parse: %s", id,
                                text != NULL ? text : "", reason);
        }
        cx_names_append(patterns, text);
    }
    return CX_OK;
}

// Every target pattern must fit something that can be built, and nothing that has the fix.
static enum cx_status targets_check(const struct cx_known_entry *entry, const struct cx_names *patterns,
                                    const struct cx_names *targets, struct cx_error *error)
{
    for (size_t i = 0; i < patterns->count; i++) {
        int found = 0;
        for (size_t k = 0; k < targets->count; k++) {
            int fits = fnmatch(patterns->list[i], targets->list[k], 0) == 0;
            found |= fits;
            if (fits && cx_known_fixed(entry, targets->list[k])) {
                return cx_error_set(error, CX_ERR_FORMAT, "%s: \"%s\" expects it on %s, which has the fix", entry->id,
                                    patterns->list[i], targets->list[k]);
            }
        }
        if (!found) {
            return cx_error_set(error, CX_ERR_FORMAT, "%s: no target that can be built fits \"%s\"", entry->id,
                                patterns->list[i]);
        }
    }
    return CX_OK;
}

static enum cx_status places_read(struct cx_known_entry *entry, json_t *list, const struct cx_names *targets,
                                  struct cx_error *error)
{
    entry->places = calloc(json_array_size(list) + 1, sizeof(*entry->places));
    if (entry->places == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    if (json_array_size(list) == 0) {
        return cx_error_set(error, CX_ERR_FORMAT, "%s: \"expected\" names no place", entry->id);
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct cx_known_place *place = &entry->places[entry->places_count++];
        const char *scenarios = NULL, *patterns = NULL;
        json_error_t reason;
        if (json_unpack_ex(json_array_get(list, i), &reason, JSON_STRICT, "{s:s, s:s, s?F}", "scenarios", &scenarios,
                           "targets", &patterns, "rate", &place->rate) != 0) {
            return cx_error_set(error, CX_ERR_FORMAT, "%s: expected: %s", entry->id, reason.text);
        }
        if (place->rate < 0 || place->rate > 1) {
            return cx_error_set(error, CX_ERR_FORMAT, "%s: \"rate\" is a share of runs, between 0 and 1", entry->id);
        }
        cx_names_split(&place->scenarios, scenarios);
        cx_names_split(&place->targets, patterns);
        if (place->scenarios.count == 0 || place->targets.count == 0) {
            return cx_error_set(error, CX_ERR_FORMAT, "%s: expected: no scenarios, or no targets", entry->id);
        }
        enum cx_status status = targets_check(entry, &place->targets, targets, error);
        if (status != CX_OK) {
            return status;
        }
    }
    return CX_OK;
}

static enum cx_status fixes_read(struct cx_known_entry *entry, json_t *list, struct cx_error *error)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *version = json_string_value(json_array_get(list, i));
        int major = 0, minor = 0, micro = 0;
        if (version == NULL || sscanf(version, "%d.%d.%d", &major, &minor, &micro) != 3) {
            return cx_error_set(error, CX_ERR_FORMAT, "%s: \"fixed in\" lists versions such as \"3.14.1\"", entry->id);
        }
        cx_names_append(&entry->fixed_in, version);
    }
    return CX_OK;
}

static enum cx_status kind_read(struct cx_known_entry *entry, const char *word, struct cx_error *error)
{
    for (enum cx_known_kind kind = CX_KNOWN_DEFECT; kind <= CX_KNOWN_DOCUMENTED; kind++) {
        if (strcmp(cx_known_kind_name(kind), word) == 0) {
            entry->kind = kind;
            return CX_OK;
        }
    }
    return cx_error_set(error, CX_ERR_FORMAT, "%s: \"kind\" is defect, misuse or documented, not \"%s\"", entry->id,
                        word);
}

static enum cx_status entry_read(struct cx_known *known, json_t *object, const struct cx_names *targets,
                                 struct cx_error *error)
{
    struct cx_known_entry *entry = &known->entries[known->count++];
    const char *kind = NULL;
    json_t *signatures = NULL, *unless = NULL, *places = NULL, *fixes = NULL;
    json_error_t reason;
    if (json_unpack_ex(object, &reason, JSON_STRICT, "{s:s, s:s, s:s, s:s, s:o, s?o, s:o, s?o}", "id", &entry->id,
                       "issue", &entry->issue, "kind", &kind, "what", &entry->what, "signatures", &signatures, "unless",
                       &unless, "expected", &places, "fixed in", &fixes) != 0) {
        return cx_error_set(error, CX_ERR_FORMAT, "entry %zu%s%s: %s", known->count, entry->id != NULL ? ", " : "",
                            entry->id != NULL ? entry->id : "", reason.text);
    }
    for (size_t i = 0; i + 1 < known->count; i++) {
        if (strcmp(known->entries[i].id, entry->id) == 0) {
            return cx_error_set(error, CX_ERR_FORMAT, "%s: there are two entries of this name", entry->id);
        }
    }
    if (json_array_size(signatures) == 0) {
        return cx_error_set(error, CX_ERR_FORMAT, "%s: \"signatures\" lists no pattern", entry->id);
    }
    enum cx_status status = kind_read(entry, kind, error);
    if (status == CX_OK) {
        status = patterns_read(entry->id, signatures, &entry->signatures, error);
    }
    if (status == CX_OK) {
        status = patterns_read(entry->id, unless, &entry->unless, error);
    }
    if (status == CX_OK) {
        status = fixes_read(entry, fixes, error);
    }
    return status == CX_OK ? places_read(entry, places, targets, error) : status;
}

// Where the file is when nobody says it.
static enum cx_status default_path(char path[2 * PATH_MAX], struct cx_error *error)
{
    snprintf(path, 2 * PATH_MAX, "%s/known.json", cx_targets_build_dir());
    if (access(path, R_OK) == 0) {
        return CX_OK;
    }
    snprintf(path, 2 * PATH_MAX, "%s/scenarios/known.json", cx_targets_source_dir());
    if (access(path, R_OK) == 0) {
        return CX_OK;
    }
    return cx_error_set(error, CX_ERR_ENVIRONMENT,
                        "no known.json beside the command, nor %s: --known FILE names one, --known none does without",
                        path);
}

static enum cx_status root_read(struct cx_known *known, json_t *root, const json_error_t *failure,
                                const struct cx_names *targets, struct cx_error *error)
{
    json_t *about = NULL, *list = NULL;
    json_error_t reason;
    known->root = root;
    if (root == NULL) {
        return cx_error_set(error, CX_ERR_FORMAT, "line %d: %s", failure->line, failure->text);
    }
    if (json_unpack_ex(known->root, &reason, JSON_STRICT, "{s?o, s:o}", "about", &about, "defects", &list) != 0) {
        return cx_error_set(error, CX_ERR_FORMAT, "%s", reason.text);
    }
    known->entries = calloc(json_array_size(list) + 1, sizeof(*known->entries));
    if (known->entries == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    enum cx_status status = CX_OK;
    for (size_t i = 0; i < json_array_size(list) && status == CX_OK; i++) {
        status = entry_read(known, json_array_get(list, i), targets, error);
    }
    return status;
}

enum cx_status cx_known_parse(struct cx_known *known, const char *text, size_t text_bytes,
                              const struct cx_names *targets, struct cx_error *error)
{
    json_error_t failure;
    memset(known, 0, sizeof(*known));
    json_t *root = json_loadb(text, text_bytes, JSON_REJECT_DUPLICATES, &failure);
    enum cx_status status = root_read(known, root, &failure, targets, error);
    if (status != CX_OK) {
        cx_known_fini(known);
    }
    return status;
}

enum cx_status cx_known_load(struct cx_known *known, const char *path, struct cx_error *error)
{
    char usual[2 * PATH_MAX];
    memset(known, 0, sizeof(*known));
    if (path != NULL && strcmp(path, CX_KNOWN_NONE) == 0) {
        return CX_OK;
    }
    if (path == NULL) {
        enum cx_status status = default_path(usual, error);
        if (status != CX_OK) {
            return status;
        }
        path = usual;
    }
    struct cx_error reason = {0};
    struct cx_names targets = {0};
    json_error_t failure;
    cx_targets_known(&targets);
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &failure);
    enum cx_status status = root_read(known, root, &failure, &targets, &reason);
    cx_names_fini(&targets);
    if (status != CX_OK) {
        cx_known_fini(known);
        return cx_error_set(error, status, "known defects, %.200s: %.380s", path, reason.text);
    }
    return CX_OK;
}

void cx_known_fini(struct cx_known *known)
{
    for (size_t i = 0; i < known->count; i++) {
        struct cx_known_entry *entry = &known->entries[i];
        cx_names_fini(&entry->signatures);
        cx_names_fini(&entry->unless);
        for (size_t k = 0; k < entry->places_count; k++) {
            cx_names_fini(&entry->places[k].scenarios);
            cx_names_fini(&entry->places[k].targets);
        }
        free(entry->places);
        cx_names_fini(&entry->fixed_in);
    }
    free(known->entries);
    json_decref(known->root);
    memset(known, 0, sizeof(*known));
}
