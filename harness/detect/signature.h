// SPDX-License-Identifier: Apache-2.0
//
// signature: what makes two findings the same finding.
//
// One run can show several symptoms: how it ended, and every race that ThreadSanitizer reported. Each gets a signature:
// a text that people can read and twelve digits of its hash. Lines, addresses and numbers that differ from run to run
// stay out of it, so that it survives other seeds, other builds and line drift:
//
//     crash        signal, the top three frames of the program
//     fatal        the function of the message, and its text without addresses and numbers
//     assertion    its text, and the function
//     race         the two functions, in no order
//     deadlock     the sorted set of (role, operation, function) of all threads that wait
//     livelock     the functions of the cycle
//     hang         where each thread is
//     invariant    the expression, and the file without its folder and line
//     drift, leak  what one play adds: types and references, or blocks
//     exit         exit code
#ifndef CX_DETECT_SIGNATURE_H
#define CX_DETECT_SIGNATURE_H

#include <stdint.h>

#include "harness/detect/frames.h"
#include "harness/detect/symbolizer.h"
#include "harness/exec/channel.h"

#define CX_SIGNATURE_CHARS_MAX 800
#define CX_SYMPTOMS_MAX (CX_RACES_MAX + 1)
#define CX_RACE_NONE UINT32_MAX

struct cx_signature {
    char text[CX_SIGNATURE_CHARS_MAX + 20]; // ends in " [0123456789ab]"
    char id[13];                            // those digits
};

struct cx_symptom {
    enum cx_outcome kind;
    uint32_t race; // index into result.races[], or CX_RACE_NONE
    struct cx_signature signature;
};

struct cx_symptoms {
    uint32_t count;
    struct cx_symptom list[CX_SYMPTOMS_MAX];
};

// How stacks become frames: cx_symbolizer_stack() in the command, a table in a test.
struct cx_resolver {
    void *context;
    void (*stack)(void *context, const struct cx_stack *stack, enum cx_stack_kind kind, struct cx_symbol_stack *out);
    void (*address)(void *context, uint64_t address, struct cx_symbol_stack *out);
};

// All symptoms of one result, each signature once, the ending of the run first. None for a pass.
void cx_symptoms_find(const struct cx_result *result, const struct cx_resolver *resolver, struct cx_symptoms *out);

// 1 if one of the symptoms has this signature's id.
int cx_symptoms_have(const struct cx_symptoms *symptoms, const char *id);

// Make the signature of a text: a copy, cut at CX_SIGNATURE_CHARS_MAX, and the hash of all of it.
void cx_signature_make(struct cx_signature *signature, const char *text);

// The signature whose text this is, as it was printed; its id is empty if that has no digits.
void cx_signature_parse(struct cx_signature *signature, const char *text);

// The twelve digits at the end of a signature's text, or "" when it has none. `id` has room for 13 bytes.
void cx_signature_id(const char *text, char *id);

// The actor's name of a thread, "main", or "thread". Copies of one actor share it.
const char *cx_thread_role(const struct cx_thread_report *report);

#endif
