// SPDX-License-Identifier: Apache-2.0
//
// status: the tables behind status.h, made from its map, and the writing of reasons.
#include "harness/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CX_NAME(enumerator, value, name, exit_code, sentence) [-(value)] = name,
static const char *const status_names[] = {CX_STATUS_MAP(CX_NAME)};
#undef CX_NAME

#define CX_SENTENCE(enumerator, value, name, exit_code, sentence) [-(value)] = sentence,
static const char *const status_sentences[] = {CX_STATUS_MAP(CX_SENTENCE)};
#undef CX_SENTENCE

#define CX_EXIT_CODE(enumerator, value, name, exit_code, sentence) [-(value)] = exit_code,
static const enum cx_exit status_exits[] = {CX_STATUS_MAP(CX_EXIT_CODE)};
#undef CX_EXIT_CODE

static int status_known(enum cx_status status)
{
    return status <= 0 && -(int)status < (int)(sizeof(status_names) / sizeof(status_names[0]));
}

const char *cx_status_name(enum cx_status status)
{
    return status_known(status) ? status_names[-(int)status] : "?";
}

const char *cx_status_sentence(enum cx_status status)
{
    return status_known(status) ? status_sentences[-(int)status] : "?";
}

enum cx_exit cx_status_exit(enum cx_status status)
{
    return status_known(status) ? status_exits[-(int)status] : CX_EXIT_ENVIRONMENT;
}

enum cx_status cx_error_set(struct cx_error *error, enum cx_status status, const char *format, ...)
{
    if (error != NULL) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(error->text, sizeof(error->text), format, arguments);
        va_end(arguments);
    }
    return status;
}

enum cx_status cx_error_system(struct cx_error *error, const char *format, ...)
{
    int saved = errno;
    if (error != NULL) {
        va_list arguments;
        va_start(arguments, format);
        int chars = vsnprintf(error->text, sizeof(error->text), format, arguments);
        va_end(arguments);
        if (chars >= 0 && (size_t)chars < sizeof(error->text)) {
            snprintf(error->text + chars, sizeof(error->text) - (size_t)chars, ": %s", strerror(saved));
        }
    }
    return CX_ERR_SYSTEM;
}
