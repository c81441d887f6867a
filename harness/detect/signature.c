// SPDX-License-Identifier: Apache-2.0
//
// signature: see signature.h.
#include "harness/detect/signature.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/exec/seed.h"

#define CX_CRASH_FRAMES 3
#define CX_SIGNATURE_DIGITS 12
#define CX_TEXT_BYTES 8192
#define CX_PART_BYTES 320

// A growing text of fixed size: what does not fit is cut, the hash sees what is there.
struct text {
    char chars[CX_TEXT_BYTES];
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void text_add(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int added = vsnprintf(text->chars + text->used, sizeof(text->chars) - text->used, format, arguments);
    va_end(arguments);
    if (added > 0) {
        text->used += (size_t)added;
        if (text->used >= sizeof(text->chars)) {
            text->used = sizeof(text->chars) - 1;
        }
    }
}

void cx_signature_make(struct cx_signature *signature, const char *text)
{
    uint64_t hash = cx_mix(cx_hash_bytes(CX_HASH_START, text, strlen(text)));
    snprintf(signature->id, sizeof(signature->id), "%0*" PRIx64, CX_SIGNATURE_DIGITS, hash >> 16);
    snprintf(signature->text, sizeof(signature->text), "%.*s [%s]", CX_SIGNATURE_CHARS_MAX, text, signature->id);
}

void cx_signature_id(const char *text, char *id)
{
    size_t chars = strlen(text);
    id[0] = '\0';
    if (chars >= CX_SIGNATURE_DIGITS + 2 && text[chars - 1] == ']' && text[chars - CX_SIGNATURE_DIGITS - 2] == '[') {
        memcpy(id, text + chars - CX_SIGNATURE_DIGITS - 1, CX_SIGNATURE_DIGITS);
        id[CX_SIGNATURE_DIGITS] = '\0';
    }
}

void cx_signature_parse(struct cx_signature *signature, const char *text)
{
    snprintf(signature->text, sizeof(signature->text), "%s", text);
    cx_signature_id(text, signature->id);
}

const char *cx_thread_role(const struct cx_thread_report *report)
{
    if (report->name[0] != '\0') {
        return report->name;
    }
    return strcmp(report->path, "main") == 0 ? "main" : "thread";
}

// A text without what differs between runs: every number, decimal or not, becomes one N.
static void text_normalise(const char *from, char *to, size_t to_bytes)
{
    size_t used = 0;
    for (size_t i = 0; from[i] != '\0' && used + 1 < to_bytes;) {
        int word_before = i > 0 && (isalnum((unsigned char)from[i - 1]) || from[i - 1] == '_');
        if (!isdigit((unsigned char)from[i]) || word_before) {
            to[used++] = from[i++];
            continue;
        }
        while (isxdigit((unsigned char)from[i]) || from[i] == 'x') {
            i++;
        }
        to[used++] = 'N';
    }
    to[used] = '\0';
}

// Resolving needs 4 kB of frames; one buffer per call of cx_symptoms_find() keeps the stack small.
struct finder {
    const struct cx_result *result;
    const struct cx_resolver *resolver;
    struct cx_symbol_stack stack;
    struct text text;
};

// The function that a stack tells of; "?" when the program has no frame on it.
static const char *telling(struct finder *finder, const struct cx_stack *stack, enum cx_stack_kind kind)
{
    finder->resolver->stack(finder->resolver->context, stack, kind, &finder->stack);
    const char *function = cx_frame_telling(&finder->stack);
    return function != NULL ? function : "?";
}

static void crash_text(struct finder *finder)
{
    const struct cx_result *result = finder->result;
    const char *abbreviation = sigabbrev_np(result->signal);
    if (result->signal == 0) {
        text_add(&finder->text, "crash %s in ", result->message); // a sanitizer's word for it
    } else {
        text_add(&finder->text, "crash SIG%s in ", abbreviation != NULL ? abbreviation : "?");
    }
    finder->resolver->stack(finder->resolver->context, &result->stack, CX_STACK_FAULT, &finder->stack);
    int found = 0;
    int at = -1;
    while (found < CX_CRASH_FRAMES) {
        at = cx_frame_first(&finder->stack, 1u << CX_FRAME_PROGRAM | 1u << CX_FRAME_WAITING | 1u << CX_FRAME_ATOMIC,
                            (uint32_t)(at + 1));
        if (at < 0) {
            break;
        }
        text_add(&finder->text, "%s%s", found > 0 ? " < " : "", finder->stack.frames[at].function);
        found++;
    }
    if (found == 0) {
        text_add(&finder->text, "%s", telling(finder, &result->stack, CX_STACK_FAULT));
    }
}

static void assert_text(struct finder *finder)
{
    const struct cx_result *result = finder->result;
    const char *function = telling(finder, &result->stack, CX_STACK_RETURNS);
    text_add(&finder->text, "assertion \"%s\" in %s", result->message, function);
}

static void fatal_text(struct finder *finder)
{
    char message[CX_PART_BYTES];
    text_normalise(finder->result->message, message, sizeof(message));
    const char *function = finder->result->location;
    if (function[0] == '\0') {
        function = telling(finder, &finder->result->stack, CX_STACK_RETURNS);
    }
    text_add(&finder->text, "fatal \"%s\" in %s", message, function);
}

static void invariant_text(struct finder *finder)
{
    const char *location = finder->result->location;
    const char *slash = strrchr(location, '/');
    const char *file = slash != NULL ? slash + 1 : location;
    size_t chars = strcspn(file, ":");
    text_add(&finder->text, "invariant \"%s\" in %.*s", finder->result->message, (int)chars, file);
}

static int part_compare(const void *left, const void *right)
{
    return strcmp(left, right);
}

// Sort the parts and add each once: "a; b; c".
static void parts_add(struct finder *finder, char (*parts)[CX_PART_BYTES], size_t count, const char *separator)
{
    qsort(parts, count, sizeof(*parts), part_compare);
    int first = 1;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(parts[i], parts[i - 1]) != 0) {
            text_add(&finder->text, "%s%s", first ? "" : separator, parts[i]);
            first = 0;
        }
    }
}

// Every thread that has not ended, as "role operation in function". That main waits for its actors goes without saying.
static void threads_text(struct finder *finder)
{
    const struct cx_result *result = finder->result;
    char(*parts)[CX_PART_BYTES] = calloc(result->reports_count + 1, sizeof(*parts));
    size_t count = 0;
    text_add(&finder->text, "%s of ", cx_outcome_name((enum cx_outcome)result->outcome));
    for (uint32_t i = 0; parts != NULL && i < result->reports_count; i++) {
        const struct cx_thread_report *report = &result->threads[i];
        if (report->status == CX_THREAD_EXITED || report->status == CX_THREAD_PARKED || report->op == CX_OP_ACTORS) {
            continue;
        }
        int known = report->status != CX_THREAD_UNCONTROLLED;
        snprintf(parts[count++], CX_PART_BYTES, "%s%s%s in %s", cx_thread_role(report), known ? " " : "",
                 known ? cx_op_name((enum cx_op)report->op) : "",
                 telling(finder, &report->stack, cx_report_stack_kind(report)));
    }
    if (count > 0) {
        parts_add(finder, parts, count, "; ");
    } else {
        text_add(&finder->text, "%s", telling(finder, &result->stack, CX_STACK_RETURNS));
    }
    free(parts);
}

static void livelock_text(struct finder *finder)
{
    const struct cx_result *result = finder->result;
    if (result->cycle_count == 0) {
        threads_text(finder);
        return;
    }
    char(*parts)[CX_PART_BYTES] = calloc(result->cycle_count, sizeof(*parts));
    size_t count = 0;
    text_add(&finder->text, "livelock of ");
    for (uint32_t i = 0; parts != NULL && i < result->cycle_count; i++) {
        finder->resolver->address(finder->resolver->context, result->cycle[i].caller, &finder->stack);
        const char *function = cx_frame_telling(&finder->stack);
        if (function != NULL) {
            snprintf(parts[count++], CX_PART_BYTES, "%s", function);
        }
    }
    if (count > 0) {
        parts_add(finder, parts, count, ", ");
    } else {
        text_add(&finder->text, "?");
    }
    free(parts);
}

static void race_text(struct finder *finder, const struct cx_race *race)
{
    char names[2][CX_PART_BYTES] = {"?", "?"};
    for (uint32_t i = 0; i < race->accesses_count; i++) {
        snprintf(names[i], CX_PART_BYTES, "%s", telling(finder, &race->accesses[i].stack, CX_STACK_REPORT));
    }
    int swap = strcmp(names[0], names[1]) > 0;
    const char *type = race->type[0] != '\0' ? race->type : "data-race";
    text_add(&finder->text, "race %s", strcmp(type, "data-race") == 0 ? "" : type);
    text_add(&finder->text, "%s%s", finder->text.chars[finder->text.used - 1] == ' ' ? "" : " ", names[swap]);
    if (race->accesses_count > 1) {
        text_add(&finder->text, " / %s", names[!swap]);
    }
}

// An exit status, and who asked for it, if that was not main.
static void exit_text(struct finder *finder)
{
    text_add(&finder->text, "exit %s", finder->result->message);
    if (isdigit((unsigned char)finder->result->message[0]) && finder->result->stack.count > 0) {
        const char *function = telling(finder, &finder->result->stack, CX_STACK_RETURNS);
        if (strcmp(function, "?") != 0) {
            text_add(&finder->text, " in %s", function);
        }
    }
}

static void ending_text(struct finder *finder)
{
    switch ((enum cx_outcome)finder->result->outcome) {
    case CX_OUTCOME_CRASH:
        crash_text(finder);
        break;
    case CX_OUTCOME_FATAL:
        fatal_text(finder);
        break;
    case CX_OUTCOME_ASSERT:
        assert_text(finder);
        break;
    case CX_OUTCOME_DEADLOCK:
    case CX_OUTCOME_HANG:
        threads_text(finder);
        break;
    case CX_OUTCOME_LIVELOCK:
        livelock_text(finder);
        break;
    case CX_OUTCOME_INVARIANT:
        invariant_text(finder);
        break;
    case CX_OUTCOME_EXIT:
        exit_text(finder);
        break;
    case CX_OUTCOME_DRIFT:
    case CX_OUTCOME_LEAK:
        text_add(&finder->text, "%s %.*s", cx_outcome_name((enum cx_outcome)finder->result->outcome),
                 (int)strcspn(finder->result->message, ";"), finder->result->message);
        break;
    default:
        text_add(&finder->text, "%s %s", cx_outcome_name((enum cx_outcome)finder->result->outcome),
                 finder->result->message);
        break;
    }
}

static void symptom_add(struct cx_symptoms *out, enum cx_outcome kind, uint32_t race, const char *text)
{
    struct cx_symptom *symptom = &out->list[out->count];
    cx_signature_make(&symptom->signature, text);
    if (!cx_symptoms_have(out, symptom->signature.id)) {
        symptom->kind = kind;
        symptom->race = race;
        out->count++;
    }
}

int cx_symptoms_have(const struct cx_symptoms *symptoms, const char *id)
{
    for (uint32_t i = 0; i < symptoms->count; i++) {
        if (strcmp(symptoms->list[i].signature.id, id) == 0) {
            return 1;
        }
    }
    return 0;
}

void cx_symptoms_find(const struct cx_result *result, const struct cx_resolver *resolver, struct cx_symptoms *out)
{
    out->count = 0;
    struct finder *finder = calloc(1, sizeof(*finder));
    if (finder == NULL) {
        abort();
    }
    finder->result = result;
    finder->resolver = resolver;
    enum cx_outcome outcome = (enum cx_outcome)result->outcome;
    if (cx_outcome_is_finding(outcome) && outcome != CX_OUTCOME_RACE) {
        ending_text(finder);
        symptom_add(out, outcome, CX_RACE_NONE, finder->text.chars);
    }
    if (outcome == CX_OUTCOME_RACE && result->races_count == 0) {
        symptom_add(out, outcome, CX_RACE_NONE, "race that was not recorded");
    }
    for (uint32_t i = 0; i < result->races_count; i++) {
        finder->text.used = 0;
        race_text(finder, &result->races[i]);
        symptom_add(out, CX_OUTCOME_RACE, i, finder->text.chars);
    }
    free(finder);
}
