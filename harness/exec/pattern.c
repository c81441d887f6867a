// SPDX-License-Identifier: Apache-2.0
//
// pattern: see pattern.h.
//
// libc's regcomp() writes a repetition out: `x+` as `xx*`, `x{9}` as nine of them. Repetitions of repetitions multiply,
// so that a line of thirty plus signs takes all memory there is (found by fuzz_known_file). So the size of what it
// would write is estimated first.
//
// regexec() builds its automaton as it goes, 2 kB for each state that a text leads to, and keeps that as long as the
// expression lives: one that is used for days on ever new texts grows and grows (a soak's, 3 MB an hour). So an
// expression is compiled for one use. That takes microseconds.
#include "harness/exec/pattern.h"

#include <regex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CX_PATTERN_ATOMS_MAX 2000u // a pattern for a signature has a hundred
#define CX_PATTERN_DEPTH_MAX 32

// One level of parentheses: atoms of all of it, and of what a repetition that comes next would repeat.
struct group {
    uint64_t atoms;
    uint64_t last;
};

static void repeat(struct group *group, uint64_t times)
{
    group->atoms += group->last * (times - 1);
    group->last *= times;
}

// The end of "[...]" whose "[" is at `at`; its last character, or the one before the end of the text.
static const char *set_end(const char *at)
{
    at += at[1] == '^';
    at += at[1] == ']';
    while (at[1] != '\0' && at[1] != ']') {
        at++;
    }
    return at[1] == ']' ? at + 1 : at;
}

// Read "{n}", "{n,}" or "{n,m}" from the "{" on, up to its last character: the larger number, at least 1.
static uint64_t bound_read(const char **text)
{
    uint64_t largest = 1;
    const char *at = *text;
    for (; at[1] != '\0' && *at != '}'; at++) {
        uint64_t number = strtoull(at + 1, NULL, 10);
        largest = number > largest ? number : largest;
    }
    *text = at;
    return largest < CX_PATTERN_ATOMS_MAX ? largest : CX_PATTERN_ATOMS_MAX;
}

static int too_large(const char *text)
{
    struct group groups[CX_PATTERN_DEPTH_MAX] = {{0}};
    uint32_t depth = 0;
    for (const char *at = text; *at != '\0'; at++) {
        struct group *group = &groups[depth];
        if (*at == '+') {
            repeat(group, 2);
        } else if (*at == '{') {
            repeat(group, bound_read(&at));
        } else if (*at == '*' || *at == '?') {
            repeat(group, 1);
        } else if (*at == '(') {
            if (++depth == CX_PATTERN_DEPTH_MAX) {
                return 1;
            }
            groups[depth] = (struct group){0};
        } else if (*at == ')' && depth > 0) {
            depth--;
            groups[depth].last = group->atoms + 1;
            groups[depth].atoms += group->atoms + 1;
        } else {
            at = *at == '[' ? set_end(at) : *at == '\\' && at[1] != '\0' ? at + 1 : at;
            group->last = 1;
            group->atoms++;
        }
        if (groups[depth].atoms > CX_PATTERN_ATOMS_MAX) {
            return 1;
        }
    }
    return 0;
}

int cx_pattern_check(const char *text, char *reason, size_t reason_bytes)
{
    regex_t pattern;
    if (too_large(text)) {
        snprintf(reason, reason_bytes, "too large when its repetitions are written out");
        return -1;
    }
    int failed = regcomp(&pattern, text, REG_EXTENDED | REG_NOSUB);
    if (failed != 0) {
        regerror(failed, &pattern, reason, reason_bytes);
        return -1;
    }
    regfree(&pattern);
    return 0;
}

int cx_pattern_matches(const char *text, const char *subject)
{
    regex_t pattern;
    if (regcomp(&pattern, text, REG_EXTENDED | REG_NOSUB) != 0) {
        return 0; // it was checked before, so memory is short
    }
    int found = regexec(&pattern, subject, 0, NULL, 0) == 0;
    regfree(&pattern);
    return found;
}
