// SPDX-License-Identifier: Apache-2.0
//
// pattern: regular expressions that somebody else has written, compiled within bounds.
#ifndef CX_EXEC_PATTERN_H
#define CX_EXEC_PATTERN_H

#include <regex.h>
#include <stddef.h>

// Compile an extended regular expression that is only asked whether it matches. 0, or -1 with the reason. The caller
// frees with regfree().
int cx_pattern_compile(regex_t *pattern, const char *text, char *reason, size_t reason_bytes);

#endif
