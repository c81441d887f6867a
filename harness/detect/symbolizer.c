// SPDX-License-Identifier: Apache-2.0
//
// symbolizer: see symbolizer.h. The child answers one line of JSON per question; its life is in pipe.c.
#include "harness/detect/symbolizer.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/detect/pipe.h"
#include "harness/exec/seed.h"

#define CX_INLINES_MAX 24
#define CX_BUCKETS_START 4096 // a power of two; doubled when half full
#define CX_ENTRIES_BOUND 8192 // some 4 MB

// All frames of one address, innermost first. An entry without frames says that nothing is known.
struct entry {
    char *module; // owned; NULL: free slot
    uint64_t offset;
    uint32_t frames_count;
    struct cx_symbol_frame *frames; // owned, with their texts
};

struct cx_symbolizer {
    struct cx_pipe *pipe;
    char *source_dir;
    struct entry *entries;
    size_t entries_count;
    size_t buckets; // a power of two
};

// The part of a path that says enough: below our own sources, below the tree that was asked for, or from CPython's own
// top folder on, wherever its source tree stands.
static const char *path_shorten(const struct cx_symbolizer *symbolizer, const char *path)
{
    static const char *const tops[] = {"/Python/", "/Objects/", "/Modules/", "/Include/", "/Parser/", "/Programs/"};
    const char *const roots[] = {CONSTRICTOR_SOURCE_DIR, symbolizer->source_dir};
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        size_t chars = roots[i] != NULL ? strlen(roots[i]) : 0;
        if (chars > 0 && strncmp(path, roots[i], chars) == 0 && path[chars] == '/') {
            return path + chars + 1;
        }
    }
    const char *shortened = path;
    for (size_t i = 0; path[0] == '/' && i < sizeof(tops) / sizeof(tops[0]); i++) {
        for (const char *at = path; (at = strstr(at, tops[i])) != NULL; at++) {
            shortened = at + 1 > shortened ? at + 1 : shortened; // the last one: a home may be called Python, too
        }
    }
    while (strncmp(shortened, "./", 2) == 0) {
        shortened += 2;
    }
    return shortened;
}

static char *text_copy(const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL) {
        abort(); // a name of a few bytes: nothing sensible can follow
    }
    return copy;
}

static size_t slot_of(const struct entry *entries, size_t buckets, const char *module, uint64_t offset)
{
    uint64_t hash = cx_mix(cx_hash_bytes(CX_HASH_START, module, strlen(module)) ^ offset);
    size_t slot = hash & (buckets - 1);
    while (entries[slot].module != NULL &&
           (entries[slot].offset != offset || strcmp(entries[slot].module, module) != 0)) {
        slot = (slot + 1) & (buckets - 1);
    }
    return slot;
}

static int table_grow(struct cx_symbolizer *symbolizer)
{
    size_t buckets = symbolizer->buckets == 0 ? CX_BUCKETS_START : symbolizer->buckets * 2;
    struct entry *entries = calloc(buckets, sizeof(*entries));
    if (entries == NULL) {
        return -1;
    }
    for (size_t i = 0; i < symbolizer->buckets; i++) {
        struct entry *old = &symbolizer->entries[i];
        if (old->module != NULL) {
            entries[slot_of(entries, buckets, old->module, old->offset)] = *old;
        }
    }
    free(symbolizer->entries);
    symbolizer->entries = entries;
    symbolizer->buckets = buckets;
    return 0;
}

// Take the frames of one answer over into `entry`.
static void answer_parse(const struct cx_symbolizer *symbolizer, const char *line, struct entry *entry)
{
    json_error_t ignored;
    json_t *root = json_loads(line, 0, &ignored);
    json_t *symbols = root != NULL ? json_object_get(root, "Symbol") : NULL;
    size_t count = symbols != NULL ? json_array_size(symbols) : 0;
    count = count > CX_INLINES_MAX ? CX_INLINES_MAX : count;
    entry->frames = calloc(count + 1, sizeof(*entry->frames));
    for (size_t i = 0; entry->frames != NULL && i < count; i++) {
        json_t *symbol = json_array_get(symbols, i);
        const char *function = json_string_value(json_object_get(symbol, "FunctionName"));
        const char *file = json_string_value(json_object_get(symbol, "FileName"));
        struct cx_symbol_frame *frame = &entry->frames[i];
        frame->function = text_copy(function != NULL && function[0] != '\0' ? function : "?");
        frame->file = text_copy(file != NULL ? path_shorten(symbolizer, file) : "");
        frame->line = (uint32_t)json_integer_value(json_object_get(symbol, "Line"));
        frame->frame_class = cx_frame_classify(frame->function, frame->file, entry->module);
        entry->frames_count++;
    }
    json_decref(root);
}

static enum cx_status helper_start(struct cx_symbolizer *symbolizer, struct cx_error *error)
{
    static const char *const programs[] = {"llvm-symbolizer-19", "llvm-symbolizer", NULL};
    static const char *const arguments[] = {"--output-style=JSON", "--inlines", NULL};
    cx_pipe_free(symbolizer->pipe);
    return cx_pipe_new(&symbolizer->pipe, programs, arguments, error);
}

// The helper's answer; the caller frees it. One that is gone is started again, and asked once more: without names, the
// same finding would have another signature. NULL: it dies of this question.
static char *helper_ask(struct cx_symbolizer *symbolizer, const char *question)
{
    struct cx_error error = {0};
    char *line = cx_pipe_ask(symbolizer->pipe, question);
    for (int tries = 0; line == NULL && tries < 2; tries++) {
        if (helper_start(symbolizer, &error) != CX_OK) {
            fprintf(stderr, "constrictor: the program that names functions is gone: %s\n", error.text);
            exit(CX_EXIT_ENVIRONMENT);
        }
        line = tries == 0 ? cx_pipe_ask(symbolizer->pipe, question) : NULL;
    }
    return line;
}

// The entry for one file offset, asked for if it is not known yet; NULL only without memory.
static const struct entry *entry_get(struct cx_symbolizer *symbolizer, const char *module, uint64_t offset)
{
    if (symbolizer->entries_count * 2 >= symbolizer->buckets && table_grow(symbolizer) != 0) {
        return NULL;
    }
    struct entry *entry = &symbolizer->entries[slot_of(symbolizer->entries, symbolizer->buckets, module, offset)];
    if (entry->module != NULL) {
        return entry;
    }
    char *module_copy = strdup(module);
    if (module_copy == NULL) {
        return NULL;
    }
    entry->module = module_copy;
    entry->offset = offset;
    symbolizer->entries_count++;
    char question[400];
    snprintf(question, sizeof(question), "\"%s\" 0x%" PRIx64 "\n", module, offset);
    char *line = helper_ask(symbolizer, question);
    if (line != NULL) {
        answer_parse(symbolizer, line, entry);
        free(line);
    }
    return entry;
}

enum cx_status cx_symbolizer_new(struct cx_symbolizer **out, const char *source_dir, struct cx_error *error)
{
    *out = NULL;
    struct cx_symbolizer *symbolizer = calloc(1, sizeof(*symbolizer));
    if (symbolizer == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    symbolizer->source_dir = source_dir != NULL ? strdup(source_dir) : NULL;
    enum cx_status status = helper_start(symbolizer, error);
    if (status != CX_OK) {
        cx_symbolizer_free(symbolizer);
        return status;
    }
    *out = symbolizer;
    return CX_OK;
}

static void entries_forget(struct cx_symbolizer *symbolizer)
{
    for (size_t i = 0; i < symbolizer->buckets; i++) {
        struct entry *entry = &symbolizer->entries[i];
        for (uint32_t k = 0; k < entry->frames_count; k++) {
            free((char *)entry->frames[k].function);
            free((char *)entry->frames[k].file);
        }
        free(entry->frames);
        free(entry->module);
    }
    free(symbolizer->entries);
    symbolizer->entries = NULL;
    symbolizer->entries_count = 0;
    symbolizer->buckets = 0;
}

void cx_symbolizer_free(struct cx_symbolizer *symbolizer)
{
    if (symbolizer == NULL) {
        return;
    }
    cx_pipe_free(symbolizer->pipe);
    entries_forget(symbolizer);
    free(symbolizer->source_dir);
    free(symbolizer);
}

void cx_symbolizer_bound(struct cx_symbolizer *symbolizer)
{
    if (symbolizer->entries_count > CX_ENTRIES_BOUND) {
        entries_forget(symbolizer);
    }
}

static void frame_add(struct cx_symbol_stack *out, struct cx_symbol_frame frame, uint64_t pc)
{
    if (out->count == CX_SYMBOL_FRAMES_MAX) {
        out->truncated = 1;
        return;
    }
    frame.pc = pc;
    out->frames[out->count++] = frame;
}

static void address_add(struct cx_symbolizer *symbolizer, const struct cx_identity *identity, uint64_t pc, int returns,
                        struct cx_symbol_stack *out)
{
    static const struct cx_symbol_frame unknown = {.function = "?", .file = "", .frame_class = CX_FRAME_UNKNOWN};
    uint64_t address = pc - (returns ? 1 : 0);
    for (uint32_t i = 0; i < identity->modules_count; i++) {
        if (address < identity->modules[i].start || address >= identity->modules[i].end) {
            continue;
        }
        const struct entry *entry =
            entry_get(symbolizer, identity->modules[i].path, address - identity->modules[i].bias);
        if (entry == NULL || entry->frames_count == 0) {
            struct cx_symbol_frame frame = unknown;
            frame.frame_class = cx_frame_classify("?", "", identity->modules[i].path);
            frame_add(out, frame, pc);
        }
        for (uint32_t k = 0; entry != NULL && k < entry->frames_count; k++) {
            frame_add(out, entry->frames[k], pc);
        }
        return;
    }
    frame_add(out, unknown, pc);
}

void cx_symbolizer_stack(struct cx_symbolizer *symbolizer, const struct cx_identity *identity,
                         const struct cx_stack *stack, enum cx_stack_kind kind, struct cx_symbol_stack *out)
{
    out->count = 0;
    out->truncated = stack->truncated;
    for (uint32_t i = 0; i < stack->count && i < CX_FRAMES_MAX; i++) {
        if (stack->pcs[i] == 0 || (kind == CX_STACK_REPORT && i > 0 && stack->pcs[i] == stack->pcs[i - 1])) {
            continue;
        }
        address_add(symbolizer, identity, stack->pcs[i], !(kind == CX_STACK_FAULT && i == 0), out);
    }
}

void cx_symbolizer_view_stack(void *context, const struct cx_stack *stack, enum cx_stack_kind kind,
                              struct cx_symbol_stack *out)
{
    struct cx_symbolizer_view *view = context;
    cx_symbolizer_stack(view->symbolizer, view->identity, stack, kind, out);
}

void cx_symbolizer_view_address(void *context, uint64_t address, struct cx_symbol_stack *out)
{
    struct cx_symbolizer_view *view = context;
    out->count = 0;
    out->truncated = 0;
    address_add(view->symbolizer, view->identity, address, 1, out);
}
