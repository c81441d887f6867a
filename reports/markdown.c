// SPDX-License-Identifier: Apache-2.0
//
// markdown: a store as the summary of a CI job. GitHub drops a summary of more than 1 MiB as a whole, so both tables
// have a bound, and what is left out is said.
#include "reports/report.h"

#include <string.h>

#define CX_MARKDOWN_FINDINGS_MAX 200u
#define CX_MARKDOWN_CELLS_MAX 2000u

// A text within a table's cell: no bar, no line end, nothing that Markdown would take for its own.
static void cell_print(FILE *stream, const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (strchr("|<>*_`[]\\", *at) != NULL) {
            fputc('\\', stream);
        }
        fputc(*at == '\n' ? ' ' : *at, stream);
    }
}

static void findings_print(const struct cx_report *report, int unexpected, FILE *stream)
{
    size_t printed = 0, all = 0, index;
    json_t *finding;
    json_array_foreach(report->findings, index, finding)
    {
        if (cx_report_unexpected(finding) != unexpected || all++ >= CX_MARKDOWN_FINDINGS_MAX) {
            continue;
        }
        if (printed++ == 0) {
            fprintf(stream,
                    "\n## %s\n\n| scenario | target | what | runs | replayed | again |\n"
                    "|---|---|---|---|---|---|\n",
                    unexpected ? "Unexpected findings" : "Expected and known findings");
        }
        fputs("| ", stream);
        cell_print(stream, cx_report_text(finding, "scenario"));
        fputs(" | ", stream);
        cell_print(stream, cx_report_text(finding, "target"));
        fputs(" | ", stream);
        cell_print(stream, cx_report_text(finding, "signature"));
        if (cx_report_text(finding, "known")[0] != '\0') {
            fputs(" (known: ", stream);
            cell_print(stream, cx_report_text(finding, "known"));
            fputs(")", stream);
        }
        fprintf(stream, " | %lld | %s, %lld of %lld | ", cx_report_number(finding, "count"),
                cx_report_text(finding, "status"), cx_report_number(finding, "confirmed"),
                cx_report_number(finding, "replays"));
        cell_print(stream, cx_report_text(finding, "replay"));
        fputs(" |\n", stream);
    }
    if (all > printed) {
        fprintf(stream, "\n%zu more are in the store.\n", all - printed);
    }
}

static void cells_print(const struct cx_report *report, FILE *stream)
{
    size_t index;
    json_t *cell;
    fputs("\n## Scenarios\n\n| scenario | target | verdict | runs | failing | interleavings |\n"
          "|---|---|---|---|---|---|\n",
          stream);
    json_array_foreach(report->cells, index, cell)
    {
        if (index < CX_MARKDOWN_CELLS_MAX) {
            fputs("| ", stream);
            cell_print(stream, cx_report_text(cell, "scenario"));
            fputs(" | ", stream);
            cell_print(stream, cx_report_text(cell, "target"));
            fprintf(stream, " | %s | %lld | %lld | %lld |\n", cx_report_text(cell, "verdict"),
                    cx_report_number(cell, "runs"), cx_report_number(cell, "runs_failing"),
                    cx_report_number(cell, "interleavings"));
        }
    }
    if (json_array_size(report->cells) > CX_MARKDOWN_CELLS_MAX) {
        fprintf(stream, "\n%zu more are in the store.\n", json_array_size(report->cells) - CX_MARKDOWN_CELLS_MAX);
    }
}

// A soak whose canaries stayed away proves nothing, and that comes before all that it has found.
static void soaks_print(const struct cx_report *report, FILE *stream)
{
    size_t index;
    json_t *session;
    json_array_foreach(report->sessions, index, session)
    {
        const json_t *soak = json_object_get(session, "soak");
        const char *invalid = cx_report_text(soak, "invalid");
        if (!json_is_object(soak)) {
            continue;
        }
        fprintf(stream, "\nA soak of %lld units in %.1f hours; its canaries were asked %lld time%s.",
                cx_report_number(soak, "units"), (double)cx_report_number(soak, "spent_ms") / 3.6e6,
                cx_report_number(soak, "passes"), cx_report_number(soak, "passes") == 1 ? "" : "s");
        if (invalid[0] != '\0') {
            fputs(" **Not valid: ", stream);
            cell_print(stream, invalid);
            fputs("**", stream);
        }
        fputc('\n', stream);
    }
}

int cx_report_markdown(const struct cx_report *report, FILE *stream)
{
    long long runs = 0, bad = 0;
    size_t unexpected = 0, index;
    json_t *object;
    json_array_foreach(report->findings, index, object)
    {
        unexpected += (size_t)cx_report_unexpected(object);
    }
    json_array_foreach(report->cells, index, object)
    {
        const char *verdict = cx_report_text(object, "verdict");
        runs += cx_report_number(object, "runs");
        bad += strcmp(verdict, "pass") != 0 && strcmp(verdict, "skipped") != 0 && strcmp(verdict, "findings") != 0 &&
               strcmp(verdict, "known") != 0;
    }
    fprintf(stream, "# constrictor: %zu unexpected finding%s\n\n", unexpected, unexpected == 1 ? "" : "s");
    fprintf(stream, "%lld runs of %zu scenarios on their targets, in %zu sessions.", runs,
            json_array_size(report->cells), json_array_size(report->sessions));
    if (bad > 0) {
        fprintf(stream, " **%lld of them did not end, explored nothing or failed to start: no pass.**", bad);
    }
    fputc('\n', stream);
    json_array_foreach(report->shards_open, index, object)
    {
        fprintf(stream, "\n**No whole: %s.**\n", json_string_value(object));
    }
    soaks_print(report, stream);
    findings_print(report, 1, stream);
    cells_print(report, stream);
    findings_print(report, 0, stream);
    return ferror(stream) ? -1 : 0;
}
