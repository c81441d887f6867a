// SPDX-License-Identifier: Apache-2.0
//
// options: the values that may stand on a command line, parsed strictly: the whole word, in range, or a sentence that
// says what was expected.
#ifndef CX_OPTIONS_H
#define CX_OPTIONS_H

#include <stdint.h>

#include "harness/exec/channel.h"
#include "harness/names.h"
#include "harness/status.h"

// A whole number, decimal or 0x..., between `min` and `max`.
enum cx_status cx_option_number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *value,
                                struct cx_error *error);

// A length of time: a number with ms, s, m or h ("90s", "1.5h" is not allowed, "90" means seconds). At least 1 ms.
enum cx_status cx_option_duration_ns(const char *option, const char *text, uint64_t *value_ns, struct cx_error *error);

// A size in bytes: a number with K, M, G or T ("4G" is 4 GiB), or without.
enum cx_status cx_option_bytes(const char *option, const char *text, uint64_t *value, struct cx_error *error);

// Names of targets with commas between them, added to the list.
enum cx_status cx_option_targets(const char *text, struct cx_names *targets, struct cx_error *error);

// Any strategy but replay.
enum cx_status cx_option_strategy(const char *text, uint32_t *strategy, struct cx_error *error);

// The name of a strategy: "native", "pct", "replay" and so on. Borrowed, static.
const char *cx_strategy_name(uint32_t strategy);

#endif
