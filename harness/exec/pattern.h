// SPDX-License-Identifier: Apache-2.0
//
// pattern: regular expressions that somebody else has written, used within bounds of memory.
#ifndef CX_EXEC_PATTERN_H
#define CX_EXEC_PATTERN_H

#include <stddef.h>

// Whether an extended regular expression can be used: 0, or -1 with the reason.
int cx_pattern_check(const char *text, char *reason, size_t reason_bytes);

// Whether an expression that was checked matches somewhere in `subject`.
int cx_pattern_matches(const char *text, const char *subject);

#endif
