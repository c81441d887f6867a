// SPDX-License-Identifier: Apache-2.0
//
// report: see report.h. Reading a store.
#include "reports/report.h"

#include <string.h>

#include "harness/store/store.h"
#include "reports/query.h"

// The member of a row in which its parts are. No query gives one of this name.
#define CX_PARTS "parts"

// Keep every column as what it is, a JSON text: to parse all of a large store takes longer than to read it. 0 or -1.
static int parts_keep(sqlite3_stmt *statement, json_t *row)
{
    json_t *parts = json_object();
    for (int i = 0; i < sqlite3_column_count(statement); i++) {
        const char *text = (const char *)sqlite3_column_text(statement, i);
        const char *name = i == 0 ? CX_REPORT_ROW : sqlite3_column_name(statement, i);
        if (text != NULL && json_object_set_new(parts, name, json_string_nocheck(text)) != 0) {
            json_decref(parts);
            return -1;
        }
    }
    return json_object_set_new(row, CX_PARTS, parts);
}

// Every row of a query is a JSON text, which may have parts. A new reference, or NULL with the reason.
static json_t *rows(struct cx_store *store, const char *sql, struct cx_error *error)
{
    sqlite3_stmt *statement = NULL;
    json_t *list = json_array();
    int step = sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL);
    while (step == SQLITE_OK || step == SQLITE_ROW) {
        step = sqlite3_step(statement);
        if (step == SQLITE_ROW) {
            json_t *row = json_loads((const char *)sqlite3_column_text(statement, 0), 0, NULL);
            int failed = sqlite3_column_count(statement) > 1 && parts_keep(statement, row) != 0;
            step = json_array_append_new(list, row) == 0 && !failed ? SQLITE_ROW : SQLITE_NOMEM;
        }
    }
    if (step != SQLITE_DONE) {
        cx_error_set(error, CX_ERR_SYSTEM, "cannot read the store %s: %s", store->path,
                     sqlite3_errmsg(store->database));
        json_decref(list);
        list = NULL;
    }
    sqlite3_finalize(statement);
    return list;
}

enum cx_status cx_report_read(struct cx_report *report, const char *path, struct cx_error *error)
{
    struct cx_store store;
    struct cx_error closing;
    memset(report, 0, sizeof(*report));
    enum cx_status status = cx_store_open(&store, path, CX_STORE_READ, error);
    if (status != CX_OK) {
        return status;
    }
    // One snapshot: another command may be writing.
    sqlite3_exec(store.database, "BEGIN", NULL, NULL, NULL);
    report->findings = rows(&store, cx_query_findings, error);
    report->cells = rows(&store, cx_query_cells, error);
    report->sessions = rows(&store, cx_query_sessions, error);
    report->targets = rows(&store, cx_query_targets, error);
    report->shards_open = cx_store_shards_open(&store);
    sqlite3_exec(store.database, "ROLLBACK", NULL, NULL, NULL);
    cx_store_close(&store, &closing);
    if (report->findings == NULL || report->cells == NULL || report->sessions == NULL || report->targets == NULL ||
        report->shards_open == NULL) {
        cx_report_fini(report);
        return CX_ERR_SYSTEM;
    }
    return CX_OK;
}

void cx_report_fini(struct cx_report *report)
{
    json_decref(report->findings);
    json_decref(report->cells);
    json_decref(report->sessions);
    json_decref(report->targets);
    json_decref(report->shards_open);
    memset(report, 0, sizeof(*report));
}

const char *cx_report_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

long long cx_report_number(const json_t *object, const char *name)
{
    return (long long)json_number_value(json_object_get(object, name));
}

int cx_report_unexpected(const json_t *finding)
{
    return !json_is_true(json_object_get(finding, "expected")) && cx_report_text(finding, "known")[0] == '\0';
}

const char *cx_report_invalid(const struct cx_report *report)
{
    size_t index;
    json_t *session;
    const char *invalid = "";
    json_array_foreach(report->sessions, index, session)
    {
        const char *text = cx_report_text(json_object_get(session, "soak"), "invalid");
        invalid = text[0] != '\0' ? text : invalid;
    }
    return invalid;
}

enum cx_exit cx_report_exit(const struct cx_report *report)
{
    // The verdict of a cell, and the exit code that it makes; the last one of these that a cell has decides.
    static const struct {
        const char *verdict;
        enum cx_exit code;
    } codes[] = {{"pass", CX_EXIT_OK},          {"known", CX_EXIT_OK},         {"unfinished", CX_EXIT_ENVIRONMENT},
                 {"nothing", CX_EXIT_NOTHING},  {"missing", CX_EXIT_FINDINGS}, {"findings", CX_EXIT_FINDINGS},
                 {"error", CX_EXIT_ENVIRONMENT}};
    enum cx_exit code = CX_EXIT_NOTHING; // nothing but what was skipped
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        size_t index;
        json_t *cell;
        json_array_foreach(report->cells, index, cell)
        {
            code = strcmp(cx_report_text(cell, "verdict"), codes[i].verdict) == 0 ? codes[i].code : code;
        }
    }
    if (cx_report_invalid(report)[0] != '\0') {
        return CX_EXIT_INVALID;
    }
    return code == CX_EXIT_OK && json_array_size(report->shards_open) > 0 ? CX_EXIT_ENVIRONMENT : code;
}

json_t *cx_report_parts(const json_t *finding)
{
    return json_object_get(finding, CX_PARTS);
}

json_t *cx_report_part(const json_t *finding, const char *name)
{
    const json_t *text = json_object_get(cx_report_parts(finding), name);
    return text != NULL ? json_loadb(json_string_value(text), json_string_length(text), JSON_DECODE_ANY, NULL) : NULL;
}

int cx_report_fill(const struct cx_report *report, const char *text, const char *mark,
                   int (*fill)(const struct cx_report *report, FILE *stream), FILE *stream)
{
    const char *place = strstr(text, mark);
    size_t chars = place != NULL ? (size_t)(place - text) : 0;
    return place != NULL && fwrite(text, 1, chars, stream) == chars && fill(report, stream) == 0 &&
                   fputs(place + strlen(mark), stream) != EOF
               ? 0
               : -1;
}
