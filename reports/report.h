// SPDX-License-Identifier: Apache-2.0
//
// report: what a store holds, as the formats that others read. One file per format; each writer gets the whole content
// and a stream, and owns nothing of either.
#ifndef CX_REPORTS_REPORT_H
#define CX_REPORTS_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "harness/status.h"

// All of a store, as the queries of reports/query give it: lists of objects. What is large in a finding, and what few
// formats ask for, is a part of it and not a member.
struct cx_report {
    json_t *findings;
    json_t *cells;
    json_t *sessions;
    json_t *targets;
    json_t *shards_open; // a sentence for each campaign of which shards are missing
};

// Read a store. The caller frees with cx_report_fini(); zeroed memory is valid there.
enum cx_status cx_report_read(struct cx_report *report, const char *path, struct cx_error *error);
void cx_report_fini(struct cx_report *report);

// A member of an object as a text ("" if it is none) or a number (0).
const char *cx_report_text(const json_t *object, const char *name);
long long cx_report_number(const json_t *object, const char *name);

// True for a finding that nobody expected: no canary's, and no known defect.
int cx_report_unexpected(const json_t *finding);

// Why a soak among the sessions is not valid; "": every one is, or there is none. Borrowed.
const char *cx_report_invalid(const struct cx_report *report);

// What a campaign that saw all of this would have ended with.
enum cx_exit cx_report_exit(const struct cx_report *report);

// A part of a finding, parsed: its stacks, schedule_text, shrunk_text, explanation or switches. A new reference, or
// NULL if the store has none of it.
json_t *cx_report_part(const json_t *finding, const char *name);

// All parts of a finding, name to JSON text; that named CX_REPORT_ROW is the object of its members. Borrowed.
#define CX_REPORT_ROW ""
json_t *cx_report_parts(const json_t *finding);

// Write `text`, with what `fill` writes in the place of `mark`, which stands in it once. 0, or -1 if something failed.
int cx_report_fill(const struct cx_report *report, const char *text, const char *mark,
                   int (*fill)(const struct cx_report *report, FILE *stream), FILE *stream);

// The writers. 0, or -1 if the stream or the memory failed.
int cx_report_html(const struct cx_report *report, FILE *stream);        // one page that holds everything
int cx_report_junit(const struct cx_report *report, FILE *stream);       // JUnit XML
int cx_report_sarif(const struct cx_report *report, FILE *stream);       // SARIF 2.1.0
int cx_report_markdown(const struct cx_report *report, FILE *stream);    // a job's summary
int cx_report_annotations(const struct cx_report *report, FILE *stream); // GitHub's workflow commands
// The same about one finding: the text of an issue; a trace for Perfetto, if its story is there (`explain --store`).
int cx_report_issue(const struct cx_report *report, const json_t *finding, FILE *stream);
int cx_report_perfetto(const struct cx_report *report, const json_t *finding, FILE *stream);

#endif
