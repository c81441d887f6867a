// SPDX-License-Identifier: Apache-2.0
//
// html: a store as one HTML file that needs nothing else: reports/template/report.html, with all data in it as JSON.
#include "reports/report.h"

#include <stdlib.h>
#include <string.h>

#include "reports/query.h"

// JSON within a script element: no "</" and no "<!" may stand in it, or the element would end there.
static int data_write(const char *json, FILE *stream)
{
    for (const char *at = json; *at != '\0';) {
        size_t chars = strcspn(at, "<");
        if (fwrite(at, 1, chars, stream) != chars || (at[chars] == '<' && fputs("\\u003c", stream) == EOF)) {
            return -1;
        }
        at += chars + (at[chars] == '<');
    }
    return 0;
}

int cx_report_html(const struct cx_report *report, FILE *stream)
{
    static const char mark[] = "@DATA@";
    const char *place = strstr(cx_report_template, mark);
    json_t *data = json_pack("{s:O, s:O, s:O, s:O}", "findings", report->findings, "cells", report->cells, "sessions",
                             report->sessions, "targets", report->targets);
    char *json = data != NULL ? json_dumps(data, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    int failed = json == NULL || place == NULL;
    if (!failed) {
        size_t chars = (size_t)(place - cx_report_template);
        failed = fwrite(cx_report_template, 1, chars, stream) != chars || data_write(json, stream) != 0 ||
                 fputs(place + sizeof(mark) - 1, stream) == EOF;
    }
    free(json);
    json_decref(data);
    return failed ? -1 : 0;
}
