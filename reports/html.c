// SPDX-License-Identifier: Apache-2.0
//
// html: a store as one HTML file that needs nothing else: reports/template/report.html, with all data in it as JSON.
#include "reports/report.h"

#include <stdlib.h>
#include <string.h>

#include "reports/query.h"

// JSON within a script element: no "</" and no "<!" may stand in it, or the element would end there.
static int data_write(const char *json, size_t length, FILE *stream)
{
    for (const char *at = json, *end = json + length; at < end;) {
        const char *less = memchr(at, '<', (size_t)(end - at));
        size_t chars = (size_t)((less != NULL ? less : end) - at);
        if (fwrite(at, 1, chars, stream) != chars || (less != NULL && fputs("\\u003c", stream) == EOF)) {
            return -1;
        }
        at += chars + (less != NULL);
    }
    return 0;
}

// One finding, its parts members like the others: all of it is JSON text already.
static int finding_write(const json_t *finding, FILE *stream)
{
    json_t *parts = cx_report_parts(finding);
    const json_t *row = json_object_get(parts, CX_REPORT_ROW);
    int failed = data_write(json_string_value(row), json_string_length(row) - 1, stream); // its brace stays open
    const char *name;
    json_t *part;
    json_object_foreach(parts, name, part)
    {
        if (part != row) {
            failed |= fprintf(stream, ",\"%s\":", name) < 0 ||
                      data_write(json_string_value(part), json_string_length(part), stream) != 0;
        }
    }
    return failed || fputc('}', stream) == EOF ? -1 : 0;
}

static int data_fill(const struct cx_report *report, FILE *stream)
{
    size_t index;
    json_t *finding;
    json_t *rest =
        json_pack("{s:O, s:O, s:O}", "cells", report->cells, "sessions", report->sessions, "targets", report->targets);
    char *json = json_dumps(rest, JSON_COMPACT);
    int failed = json == NULL || fputs("{\"findings\":[", stream) == EOF;
    json_array_foreach(report->findings, index, finding)
    {
        failed |= (index > 0 && fputs(",\n", stream) == EOF) || finding_write(finding, stream) != 0;
    }
    failed = failed || fputs("],", stream) == EOF || data_write(json + 1, strlen(json) - 1, stream) != 0;
    free(json);
    json_decref(rest);
    return failed ? -1 : 0;
}

int cx_report_html(const struct cx_report *report, FILE *stream)
{
    return cx_report_fill(report, cx_report_template, "@DATA@", data_fill, stream);
}
