// SPDX-License-Identifier: Apache-2.0
//
// options: see options.h.
#include "harness/options.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/exec/clock.h"

static const struct {
    const char *name;
    uint32_t strategy;
} strategies[] = {
    {"native", CX_STRATEGY_NATIVE},
    {"random", CX_STRATEGY_RANDOM},
    {"pct", CX_STRATEGY_PCT},
    {"pos", CX_STRATEGY_POS},
    {"urw", CX_STRATEGY_URW},
    {"surw", CX_STRATEGY_SURW},
    {"delay", CX_STRATEGY_DELAY},
    {"feedback", CX_STRATEGY_FEEDBACK},
    {"portfolio", CX_STRATEGY_PORTFOLIO},
    {"exhaustive", CX_STRATEGY_EXHAUSTIVE},
    {"replay", CX_STRATEGY_REPLAY},
    {"race", CX_STRATEGY_RACE},
    {"fresh", CX_STRATEGY_FRESH},
    {"hold", CX_STRATEGY_HOLD},
};

enum cx_status cx_option_number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *value,
                                struct cx_error *error)
{
    int hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = hexadecimal ? text + 2 : text;
    char *end = NULL;
    errno = 0;
    unsigned long long parsed = strtoull(digits, &end, hexadecimal ? 16 : 10);
    int digit_first = hexadecimal ? isxdigit((unsigned char)digits[0]) : isdigit((unsigned char)digits[0]);
    if (!digit_first || *end != '\0') {
        return cx_error_set(error, CX_ERR_USAGE, "%s %s: not a whole number", option, text);
    }
    if (errno == ERANGE || parsed > max) {
        return cx_error_set(error, CX_ERR_USAGE, "%s %s: must be at most %" PRIu64, option, text, max);
    }
    if (parsed < min) {
        return cx_error_set(error, CX_ERR_USAGE, "%s %s: must be at least %" PRIu64, option, text, min);
    }
    *value = parsed;
    return CX_OK;
}

enum cx_status cx_option_duration_ns(const char *option, const char *text, uint64_t *value_ns, struct cx_error *error)
{
    static const struct {
        const char *unit;
        uint64_t ns;
    } units[] = {{"ms", CX_NS_PER_MS},
                 {"s", CX_NS_PER_S},
                 {"m", 60 * CX_NS_PER_S},
                 {"h", 3600 * CX_NS_PER_S},
                 {"", CX_NS_PER_S}};
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (isdigit((unsigned char)text[0]) && errno == 0) {
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
            if (strcmp(end, units[i].unit) != 0) {
                continue;
            }
            if (number == 0) {
                return cx_error_set(error, CX_ERR_USAGE, "%s %s: must be longer than nothing", option, text);
            }
            if (number > UINT64_MAX / 4 / units[i].ns) {
                return cx_error_set(error, CX_ERR_USAGE, "%s %s: too long", option, text);
            }
            *value_ns = number * units[i].ns;
            return CX_OK;
        }
    }
    return cx_error_set(error, CX_ERR_USAGE, "%s %s: expected a time such as 500ms, 60s, 10m or 2h", option, text);
}

enum cx_status cx_option_bytes(const char *option, const char *text, uint64_t *value, struct cx_error *error)
{
    static const char units[] = "KMGT";
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    const char *unit = *end != '\0' && end[1] == '\0' ? strchr(units, *end) : NULL;
    unsigned shift = unit != NULL ? 10 * (unsigned)(unit - units + 1) : 0;
    if (!isdigit((unsigned char)text[0]) || (*end != '\0' && unit == NULL)) {
        return cx_error_set(error, CX_ERR_USAGE, "%s %s: expected a size such as 500M or 4G", option, text);
    }
    if (errno != 0 || number == 0 || number > UINT64_MAX / 4 >> shift) {
        return cx_error_set(error, CX_ERR_USAGE, "%s %s: must be more than nothing and less than all", option, text);
    }
    *value = (uint64_t)number << shift;
    return CX_OK;
}

enum cx_status cx_option_strategy(const char *text, uint32_t *strategy, struct cx_error *error)
{
    struct cx_names names = {0};
    for (size_t i = 0; i < sizeof(strategies) / sizeof(strategies[0]); i++) {
        if (strategies[i].strategy == CX_STRATEGY_REPLAY || strategies[i].strategy >= CX_STRATEGY_RACE) {
            continue; // those are `constrictor replay`, `constrictor races` and the portfolio's, and the fuzz targets'
        }
        if (strcmp(text, strategies[i].name) == 0) {
            *strategy = strategies[i].strategy;
            cx_names_fini(&names);
            return CX_OK;
        }
        cx_names_add(&names, strategies[i].name);
    }
    char known[200] = "";
    for (size_t i = 0, chars = 0; i < names.count && chars < sizeof(known); i++) {
        const char *between = i == 0 ? "" : i + 1 < names.count ? ", " : " and ";
        chars += (size_t)snprintf(known + chars, sizeof(known) - chars, "%s%s", between, names.list[i]);
    }
    char nearest[200];
    cx_names_nearest(&names, text, nearest, sizeof(nearest));
    cx_names_fini(&names);
    return cx_error_set(error, CX_ERR_USAGE, "unknown strategy \"%s\"%s%s%s; there are %s", text,
                        nearest[0] != '\0' ? ": did you mean " : "", nearest, nearest[0] != '\0' ? "?" : "", known);
}

const char *cx_strategy_name(uint32_t strategy)
{
    for (size_t i = 0; i < sizeof(strategies) / sizeof(strategies[0]); i++) {
        if (strategies[i].strategy == strategy) {
            return strategies[i].name;
        }
    }
    return "?";
}

enum cx_status cx_option_targets(const char *text, struct cx_names *targets, struct cx_error *error)
{
    char *copy = strdup(text);
    char *rest = copy;
    enum cx_status status = copy != NULL ? CX_OK : CX_ERR_MEMORY;
    for (char *target; status == CX_OK && (target = strsep(&rest, ",")) != NULL;) {
        if (target[0] == '\0') {
            status = cx_error_set(error, CX_ERR_USAGE, "--target %s: a name is empty", text);
        } else {
            cx_names_add(targets, target);
        }
    }
    free(copy);
    return status;
}
