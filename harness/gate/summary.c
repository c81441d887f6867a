// SPDX-License-Identifier: Apache-2.0
//
// summary: a gate on one page, and as one document. Both say nothing that the lines of state.h do not.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "harness/gate/compare.h"
#include "harness/gate/state.h"

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static int64_t number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

// A signature in a cell: a bar would end it.
static void cell_print(FILE *file, const char *text)
{
    for (; *text != '\0'; text++) {
        fputs(*text == '|' ? "\\|" : *text == '`' ? "'" : (char[]){*text, '\0'}, file);
    }
}

// A cell of one side of a finding: what it has shown, or how hard it was asked.
static void side_print(FILE *file, const json_t *side)
{
    if (json_is_true(json_object_get(side, "seen"))) {
        const char *doubt = text_of(side, "doubt");
        fprintf(file, " shown%s%s", json_is_true(json_object_get(side, "confirmed")) ? "" : ", not confirmed",
                doubt[0] != '\0' ? ": " : "");
        cell_print(file, doubt);
    } else {
        fprintf(file, " not in %" PRId64 " schedules%s", number_of(side, "schedules"),
                json_is_true(json_object_get(side, "expected")) ? ", but known" : "");
    }
    fprintf(file, " |");
}

static void findings_print(FILE *file, const json_t *results, enum cx_gate_verdict verdict)
{
    int headed = 0;
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *result = json_array_get(results, i);
        const json_t *findings = json_object_get(result, "findings");
        for (size_t k = 0; k < json_array_size(findings); k++) {
            const json_t *finding = json_array_get(findings, k);
            if (strcmp(text_of(finding, "verdict"), cx_gate_verdict_name(verdict)) != 0) {
                continue;
            }
            if (!headed) {
                fprintf(file, "\n## %s\n\n| scenario | target | signature | issue | baseline | candidate |\n",
                        cx_gate_verdict_name(verdict));
                fprintf(file, "|---|---|---|---|---|---|\n");
                headed = 1;
            }
            fprintf(file, "| %s | %s | ", text_of(result, "scenario"), text_of(result, "candidate"));
            cell_print(file, text_of(finding, "signature"));
            fprintf(file, " | %s |", text_of(finding, "issue"));
            side_print(file, json_object_get(finding, "baseline"));
            side_print(file, json_object_get(finding, "candidate"));
            fputc('\n', file);
        }
    }
}

static void scenarios_print(FILE *file, const json_t *results)
{
    fprintf(file, "\n## All scenarios\n\n| scenario | baseline | candidate | verdict | runs on each side |\n");
    fprintf(file, "|---|---|---|---|---|\n");
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *result = json_array_get(results, i);
        const char *reason = text_of(result, "reason");
        fprintf(file, "| %s | %s | %s | %s%s%s | %" PRId64 ", %" PRId64 " |\n", text_of(result, "scenario"),
                text_of(result, "baseline"), text_of(result, "candidate"), text_of(result, "verdict"),
                reason[0] != '\0' ? ": " : "", reason, number_of(result, "baseline_runs"),
                number_of(result, "candidate_runs"));
    }
}

// How many scenarios were asked less than every one is to be.
static uint64_t hurried_count(const struct cx_gate_state *state)
{
    if (json_object_get(state->asked, "stop_at") != NULL) {
        return 0; // a side ends when it has its answer
    }
    int64_t asked = number_of(state->asked, "runs");
    int64_t floor = asked < CX_GATE_RUNS_FLOOR ? asked : CX_GATE_RUNS_FLOOR;
    uint64_t count = 0;
    for (size_t i = 0; i < json_array_size(state->results); i++) {
        const json_t *result = json_array_get(state->results, i);
        int few = number_of(result, "baseline_runs") < floor || number_of(result, "candidate_runs") < floor;
        int comparable = strcmp(text_of(result, "verdict"), cx_gate_verdict_name(CX_GATE_NOT_COMPARABLE)) != 0;
        count += (uint64_t)(few && comparable);
    }
    return count;
}

static void left_out_print(FILE *file, const struct cx_gate_state *state)
{
    uint64_t left_out = cx_gate_state_left_out(state), hurried = hurried_count(state);
    if (left_out > 0) {
        fprintf(file, "\n**No verdict on %" PRIu64 " scenarios**: there was no time for them.\n", left_out);
    }
    if (hurried > 0) {
        fprintf(file,
                "\n%" PRIu64 " scenarios had fewer than %d runs on a side: the table at the end has the numbers.\n",
                hurried, CX_GATE_RUNS_FLOOR);
    }
}

static enum cx_status markdown_write(const struct cx_gate_state *state, int complete, const char *path,
                                     struct cx_error *error)
{
    FILE *file = fopen(path, "we");
    if (file == NULL) {
        return cx_error_system(error, "cannot write %s", path);
    }
    uint64_t news = cx_gate_state_count(state, CX_GATE_NEW);
    fprintf(file, "# Gate: %s\n\n", news > 0 ? "new findings" : complete ? "nothing new" : "nothing new so far");
    fprintf(file, "    %s\n\n", text_of(state->asked, "command"));
    if (!complete) {
        fprintf(file, "**Not complete**: this gate was ended before it had asked everything.\n\n");
    }
    fprintf(file, "Scenarios:");
    for (unsigned verdict = 0; verdict < CX_GATE_VERDICTS; verdict++) {
        fprintf(file, "%s %" PRIu64 " %s", verdict > 0 ? "," : "", cx_gate_state_count(state, verdict),
                cx_gate_verdict_name(verdict));
    }
    fprintf(file, ". docs/gate.md says what each means; \"not in N schedules\" is how often it was looked for.\n");
    left_out_print(file, state);
    static const enum cx_gate_verdict order[] = {CX_GATE_NEW, CX_GATE_FIXED, CX_GATE_CHANGED, CX_GATE_UNCERTAIN,
                                                 CX_GATE_STILL};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        findings_print(file, state->results, order[i]);
    }
    scenarios_print(file, state->results);
    int failed = ferror(file);
    failed |= fclose(file) != 0;
    return failed ? cx_error_set(error, CX_ERR_SYSTEM, "%s is incomplete: not all of it could be written", path)
                  : CX_OK;
}

enum cx_status cx_gate_summary_write(const struct cx_gate_state *state, int complete, int exit_code,
                                     const char *markdown_path, const char *json_path, struct cx_error *error)
{
    enum cx_status status = CX_OK;
    if (markdown_path != NULL) {
        status = markdown_write(state, complete, markdown_path, error);
    }
    if (status == CX_OK && json_path != NULL) {
        json_t *document =
            json_pack("{s:s, s:i, s:b, s:i, s:O, s:O}", "type", "gate", "format", CX_GATE_FORMAT, "complete", complete,
                      "exit", exit_code, "asked", state->asked, "results", state->results);
        if (document == NULL || json_dump_file(document, json_path, JSON_INDENT(1)) != 0) {
            status = cx_error_system(error, "cannot write %s", json_path);
        }
        json_decref(document);
    }
    return status;
}
