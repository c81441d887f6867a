// SPDX-License-Identifier: Apache-2.0
//
// annotations: unexpected findings as GitHub's workflow commands, an error each. GitHub shows ten of a step and drops
// the others without a word, so the tenth says how many there are.
#include "reports/report.h"

#include <string.h>

#define CX_ANNOTATIONS_MAX 10u

// In a value some characters are written by their number; in a property a few more.
static void escaped(FILE *stream, const char *text, int property)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '%' || *at == '\r' || *at == '\n' || (property && (*at == ':' || *at == ','))) {
            fprintf(stream, "%%%02X", (unsigned)(unsigned char)*at);
        } else {
            fputc(*at, stream);
        }
    }
}

static void annotation(const json_t *finding, FILE *stream)
{
    const json_t *place = json_object_get(finding, "place");
    const char *file = cx_report_text(place, "file");
    fputs("::error ", stream);
    if (file[0] != '\0' && file[0] != '/') {
        fputs("file=", stream);
        escaped(stream, file, 1);
        fprintf(stream, ",line=%lld,", cx_report_number(place, "line"));
    }
    fputs("title=", stream);
    escaped(stream, cx_report_text(finding, "scenario"), 1);
    fputs(" on ", stream);
    escaped(stream, cx_report_text(finding, "target"), 1);
    fputs("::", stream);
    escaped(stream, cx_report_text(finding, "signature"), 0);
    fputs("%0Aagain: ", stream);
    escaped(stream, cx_report_text(finding, "replay"), 0);
    fputc('\n', stream);
}

int cx_report_annotations(const struct cx_report *report, FILE *stream)
{
    size_t all = 0, printed = 0, index;
    json_t *finding;
    const char *invalid = cx_report_invalid(report);
    if (invalid[0] != '\0') {
        fputs("::error title=soak::", stream);
        escaped(stream, invalid, 0);
        fputc('\n', stream);
        printed++;
        all++;
    }
    json_array_foreach(report->findings, index, finding)
    {
        all += (size_t)cx_report_unexpected(finding);
    }
    json_array_foreach(report->findings, index, finding)
    {
        if (!cx_report_unexpected(finding)) {
            continue;
        }
        if (++printed == CX_ANNOTATIONS_MAX && all > CX_ANNOTATIONS_MAX) {
            fprintf(stream, "::error title=constrictor::%zu more unexpected findings, see the job's summary\n",
                    all - printed + 1);
            break;
        }
        annotation(finding, stream);
    }
    return ferror(stream) ? -1 : 0;
}
