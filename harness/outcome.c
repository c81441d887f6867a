// SPDX-License-Identifier: Apache-2.0
//
// outcome: the tables behind outcome.h, made from its two maps and from nothing else.
#include "harness/outcome.h"

#include <string.h>

#define CX_NAME(enumerator, name, sentence) [enumerator] = name,
static const char *const outcome_names[CX_OUTCOME_COUNT] = {CX_OUTCOME_MAP(CX_NAME)};
#undef CX_NAME

#define CX_SENTENCE(enumerator, name, sentence) [enumerator] = sentence,
static const char *const outcome_sentences[CX_OUTCOME_COUNT] = {CX_OUTCOME_MAP(CX_SENTENCE)};
#undef CX_SENTENCE

#define CX_NAME(enumerator, name) [enumerator] = name,
static const char *const op_names[CX_OP_COUNT] = {CX_OP_MAP(CX_NAME)};
#undef CX_NAME

const char *cx_outcome_name(enum cx_outcome outcome)
{
    return (unsigned)outcome < CX_OUTCOME_COUNT ? outcome_names[outcome] : "?";
}

const char *cx_outcome_sentence(enum cx_outcome outcome)
{
    return (unsigned)outcome < CX_OUTCOME_COUNT ? outcome_sentences[outcome] : "?";
}

const char *cx_op_name(enum cx_op op)
{
    return (unsigned)op < CX_OP_COUNT ? op_names[op] : "?";
}

int cx_op_from_name(const char *name)
{
    for (int op = 0; op < CX_OP_COUNT; op++) {
        if (strcmp(op_names[op], name) == 0) {
            return op;
        }
    }
    return -1;
}

int cx_outcome_is_finding(enum cx_outcome outcome)
{
    return outcome >= CX_OUTCOME_CRASH && outcome <= CX_OUTCOME_EXIT;
}

int cx_conflicting(uint8_t a, uint8_t b)
{
    static const uint8_t looks[CX_OP_COUNT] = {
        [CX_OP_LOAD] = 1,
        [CX_OP_READ] = 1,
        [CX_OP_RWLOCK_RDLOCK] = 1,
    };
    return !(looks[a] && looks[b]) && a != CX_OP_AFTER && b != CX_OP_AFTER;
}
