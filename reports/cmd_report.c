// SPDX-License-Identifier: Apache-2.0
//
// cmd_report: `constrictor report STORE`: write what a store holds in the formats that others read.
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/command.h"
#include "reports/report.h"

static char doc[] =
    "Write what a store holds for people and for other programs."
    "\vFILE is - for standard output. With no format at all the summary is printed. "
    "Exit code 0: written, whatever the store says about the findings; with --check, what a run that saw "
    "all of it would have ended with, and 3 for shards that are missing.";
static char arguments_doc[] = "STORE";

enum option_key {
    KEY_HTML = 0x100,
    KEY_JUNIT,
    KEY_SARIF,
    KEY_MARKDOWN,
    KEY_ANNOTATIONS,
    KEY_ISSUE,
    KEY_PERFETTO,
    KEY_CHECK
};

static const struct argp_option options[] = {
    {"html", KEY_HTML, "FILE", 0, "A page for a browser; one file, and no network", 0},
    {"junit", KEY_JUNIT, "FILE", 0, "JUnit XML: a suite for each target, a case for each scenario", 0},
    {"sarif", KEY_SARIF, "FILE", 0, "SARIF 2.1.0, as GitHub's code scanning takes it", 0},
    {"markdown", KEY_MARKDOWN, "FILE", 0, "A summary, as a CI job shows it", 0},
    {"annotations", KEY_ANNOTATIONS, "FILE", 0, "GitHub's workflow commands, an error for each unexpected finding", 0},
    {"issue", KEY_ISSUE, "SIGNATURE", 0, "The text of an issue about this finding: its twelve digits, or the first", 0},
    {"perfetto", KEY_PERFETTO, "SIGNATURE", 0, "A trace of this finding, for Perfetto", 0},
    {"check", KEY_CHECK, NULL, 0, "Fail as a run would have: 1 for unexpected findings, and so on", 0},
    {0},
};

// The formats that take the whole store, in the order in which they are written.
static const struct {
    int key;
    int (*write)(const struct cx_report *report, FILE *stream);
} formats[] = {
    {KEY_HTML, cx_report_html},
    {KEY_JUNIT, cx_report_junit},
    {KEY_SARIF, cx_report_sarif},
    {KEY_MARKDOWN, cx_report_markdown},
    {KEY_ANNOTATIONS, cx_report_annotations},
};
#define CX_FORMATS_COUNT (sizeof(formats) / sizeof(formats[0]))

// Those that take one finding, for standard output.
static const struct {
    int key;
    const char *option;
    int (*write)(const struct cx_report *report, const json_t *finding, FILE *stream);
    const char *needs; // a part that the finding must have, or NULL
} pieces[] = {
    {KEY_ISSUE, "--issue", cx_report_issue, NULL},
    {KEY_PERFETTO, "--perfetto", cx_report_perfetto, "switches"},
};
#define CX_PIECES_COUNT (sizeof(pieces) / sizeof(pieces[0]))

struct report_options {
    const char *store;
    const char *paths[CX_FORMATS_COUNT];
    const char *ids[CX_PIECES_COUNT];
    int check;
};

static error_t option_parse(int key, char *argument, struct argp_state *state)
{
    struct report_options *report = state->input;
    struct cx_error error = {0};
    for (size_t i = 0; i < CX_FORMATS_COUNT; i++) {
        if (formats[i].key == key) {
            report->paths[i] = argument;
            return 0;
        }
    }
    for (size_t i = 0; i < CX_PIECES_COUNT; i++) {
        if (pieces[i].key == key) {
            report->ids[i] = argument;
            return 0;
        }
    }
    switch (key) {
    case KEY_CHECK:
        report->check = 1;
        return 0;
    case ARGP_KEY_ARG:
        if (report->store == NULL) {
            report->store = argument;
            return 0;
        }
        cx_error_set(&error, CX_ERR_USAGE, "\"%s\" is one store too many; `constrictor merge` joins them", argument);
        cx_command_usage("report", &error);
    case ARGP_KEY_END:
        if (report->store != NULL) {
            return 0;
        }
        cx_error_set(&error, CX_ERR_USAGE, "name a store, such as constrictor-out/results.db");
        cx_command_usage("report", &error);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

// Write one file: whole under its name, or not at all.
static enum cx_status file_write(const struct cx_report *report, size_t format, const char *path,
                                 struct cx_error *error)
{
    if (strcmp(path, "-") == 0) {
        return formats[format].write(report, stdout) == 0 && fflush(stdout) == 0
                   ? CX_OK
                   : cx_error_system(error, "cannot write to standard output");
    }
    size_t bytes = strlen(path) + 16;
    char *part = malloc(bytes);
    if (part == NULL) {
        return CX_ERR_MEMORY;
    }
    snprintf(part, bytes, "%s.part-%d", path, (int)getpid());
    FILE *file = fopen(part, "we");
    int failed = file == NULL || formats[format].write(report, file) != 0;
    if (file != NULL) {
        failed |= fclose(file) != 0;
    }
    failed = failed || rename(part, path) != 0;
    enum cx_status status = failed ? cx_error_system(error, "cannot write %s", path) : CX_OK;
    if (failed) {
        unlink(part);
    }
    free(part);
    return status;
}

static enum cx_status piece_write(const struct cx_report *report, size_t piece, const char *id, struct cx_error *error)
{
    const json_t *found = NULL;
    size_t matches = 0, index;
    json_t *finding;
    json_array_foreach(report->findings, index, finding)
    {
        if (strncmp(cx_report_text(finding, "id"), id, strlen(id)) == 0) {
            // One signature may have been seen on several targets: the first is as good as the others.
            matches += found == NULL || strcmp(cx_report_text(found, "id"), cx_report_text(finding, "id")) != 0;
            found = found == NULL ? finding : found;
        }
    }
    if (matches != 1 || id[0] == '\0') {
        return cx_error_set(error, CX_ERR_USAGE, "%s %s: %s", pieces[piece].option, id,
                            matches > 1 ? "several signatures begin like this" : "the store has no such signature");
    }
    if (pieces[piece].needs != NULL && json_object_get(cx_report_parts(found), pieces[piece].needs) == NULL) {
        return cx_error_set(error, CX_ERR_USAGE, "%s %s: its story is not in the store; constrictor explain --store",
                            pieces[piece].option, id);
    }
    return pieces[piece].write(report, found, stdout) == 0 ? CX_OK
                                                           : cx_error_system(error, "cannot write to standard output");
}

enum cx_exit cx_cmd_report(int argc, char **argv)
{
    static const struct argp argp = {options, option_parse, arguments_doc, doc, NULL, NULL, NULL};
    struct report_options wanted = {0};
    struct cx_report report = {0};
    struct cx_error error = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &wanted);
    enum cx_status status = cx_report_read(&report, wanted.store, &error);
    size_t written = 0;
    for (size_t i = 0; i < CX_FORMATS_COUNT && status == CX_OK; i++) {
        if (wanted.paths[i] != NULL) {
            status = file_write(&report, i, wanted.paths[i], &error);
            written++;
        }
    }
    for (size_t i = 0; i < CX_PIECES_COUNT && status == CX_OK; i++) {
        if (wanted.ids[i] != NULL) {
            status = piece_write(&report, i, wanted.ids[i], &error);
            written++;
        }
    }
    if (status == CX_OK && written == 0) {
        cx_report_markdown(&report, stdout);
    }
    size_t index;
    json_t *each;
    json_array_foreach(report.shards_open, index, each)
    {
        fprintf(stderr, "constrictor: %s\n", json_string_value(each));
    }
    enum cx_exit code = status == CX_OK && wanted.check ? cx_report_exit(&report) : CX_EXIT_OK;
    cx_report_fini(&report);
    return status == CX_OK ? code : cx_command_fail(status, &error);
}
