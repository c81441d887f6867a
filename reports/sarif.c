// SPDX-License-Identifier: Apache-2.0
//
// sarif: a store as SARIF 2.1.0, within the limits of GitHub's code scanning: one run, at most 25,000 results, 5,000 of
// which are shown, so the unexpected ones come first (reports/query/findings.sql); at most 1,000 locations are shown of
// a thread flow. A finding's fingerprint is its signature. Its thread flows are the interleaving, one for each thread:
// `executionOrder` puts the steps of all of them into one order.
//
// Files are relative, as the format wants: CPython's to its source tree, a scenario's to ours.
#include "reports/report.h"

#include <stdlib.h>
#include <string.h>

#include "harness/outcome.h"

#define CX_SARIF_RESULTS_MAX 25000u
#define CX_SARIF_STEPS_MAX 1000u
#define CX_SARIF_RESULTS "@RESULTS@" // where the results go in what is around them
#define CX_SARIF_SCHEMA "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

static json_t *message(const char *text)
{
    return json_pack("{s:s}", "text", text);
}

// A frame {function, file, line} as a location. A new reference.
static json_t *location(const json_t *frame, const char *text)
{
    json_t *object = json_object();
    const char *file = cx_report_text(frame, "file");
    const char *function = cx_report_text(frame, "function");
    long long line = cx_report_number(frame, "line");
    if (file[0] != '\0' && file[0] != '/' && file[0] != '<') {
        json_t *physical = json_pack("{s:{s:s, s:s}}", "artifactLocation", "uri", file, "uriBaseId", "SRCROOT");
        if (line > 0) {
            json_object_set_new(physical, "region", json_pack("{s:I}", "startLine", (json_int_t)line));
        }
        json_object_set_new(object, "physicalLocation", physical);
    }
    if (function[0] != '\0') {
        json_object_set_new(object, "logicalLocations",
                            json_pack("[{s:s, s:s}]", "name", function, "kind", "function"));
    }
    if (text != NULL) {
        json_object_set_new(object, "message", message(text));
    }
    return object;
}

// The program's frames of one stack, the outermost first, as a thread flow goes.
static json_t *stack_flow(const json_t *stack)
{
    json_t *locations = json_array();
    const json_t *frames = json_object_get(stack, "frames");
    for (size_t i = json_array_size(frames); i-- > 0 && json_array_size(locations) < CX_SARIF_STEPS_MAX;) {
        const json_t *frame = json_array_get(frames, i);
        if (json_is_true(json_object_get(frame, "program"))) {
            json_array_append_new(locations,
                                  json_pack("{s:o}", "location", location(frame, cx_report_text(frame, "function"))));
        }
    }
    if (json_array_size(locations) == 0) {
        json_decref(locations);
        return NULL;
    }
    return json_pack("{s:s, s:o}", "id", cx_report_text(stack, "thread"), "locations", locations);
}

// The flow of this thread in a list of flows, made when it is not there. Borrowed.
static json_t *flow_of(json_t *flows, const char *thread)
{
    size_t index;
    json_t *flow;
    json_array_foreach(flows, index, flow)
    {
        if (strcmp(cx_report_text(flow, "id"), thread) == 0) {
            return flow;
        }
    }
    json_array_append_new(flows, json_pack("{s:s, s:[]}", "id", thread, "locations"));
    return json_array_get(flows, json_array_size(flows) - 1);
}

// One flow for each thread of the interleaving; without one, for each stack of the finding.
static json_t *flows(const json_t *finding)
{
    json_t *list = json_array();
    size_t index;
    json_t *entry;
    json_t *switches = cx_report_part(finding, "switches");
    json_array_foreach(json_object_get(switches, "events"), index, entry)
    {
        if (index == CX_SARIF_STEPS_MAX) {
            break;
        }
        json_t *flow = flow_of(list, cx_report_text(entry, "from"));
        const json_t *frame = json_array_get(json_object_get(entry, "from_frames"), 0);
        json_array_append_new(json_object_get(flow, "locations"),
                              json_pack("{s:i, s:o}", "executionOrder", (int)index + 1, "location",
                                        location(frame, cx_report_text(entry, "text"))));
    }
    json_decref(switches);
    if (json_array_size(list) > 0) {
        return list;
    }
    json_t *stacks = cx_report_part(finding, "stacks");
    json_array_foreach(stacks, index, entry)
    {
        json_t *flow = stack_flow(entry);
        if (flow != NULL) {
            json_array_append_new(list, flow);
        }
    }
    json_decref(stacks);
    return list;
}

static json_t *result(const json_t *finding)
{
    char text[2400];
    snprintf(text, sizeof(text), "%s: %s, in scenario %s on %s (%lld runs, replayed %lld/%lld). Again: %s",
             cx_report_text(finding, "kind"), cx_report_text(finding, "signature"), cx_report_text(finding, "scenario"),
             cx_report_text(finding, "target"), cx_report_number(finding, "count"),
             cx_report_number(finding, "confirmed"), cx_report_number(finding, "replays"),
             cx_report_text(finding, "replay"));
    int unexpected = cx_report_unexpected(finding);
    json_t *object =
        json_pack("{s:s, s:s, s:o, s:{s:s}, s:{s:s, s:s, s:s, s:s}}", "ruleId", cx_report_text(finding, "kind"),
                  "level", unexpected ? "error" : "note", "message", message(text), "partialFingerprints",
                  "constrictorSignature/v1", cx_report_text(finding, "id"), "properties", "target",
                  cx_report_text(finding, "target"), "scenario", cx_report_text(finding, "scenario"), "status",
                  cx_report_text(finding, "status"), "seed", cx_report_text(finding, "seed"));
    const json_t *place = json_object_get(finding, "place");
    if (place != NULL) {
        json_object_set_new(object, "locations", json_pack("[o]", location(place, NULL)));
    }
    json_t *list = flows(finding);
    if (json_array_size(list) > 0) {
        json_object_set_new(object, "codeFlows", json_pack("[{s:O}]", "threadFlows", list));
    }
    json_decref(list);
    return object;
}

static json_t *rules(void)
{
    json_t *list = json_array();
    for (int outcome = 0; outcome < CX_OUTCOME_COUNT; outcome++) {
        if (cx_outcome_is_finding((enum cx_outcome)outcome)) {
            json_array_append_new(list, json_pack("{s:s, s:o}", "id", cx_outcome_name((enum cx_outcome)outcome),
                                                  "shortDescription",
                                                  message(cx_outcome_sentence((enum cx_outcome)outcome))));
        }
    }
    return list;
}

// Each result on a line of its own, made and written one by one: a large store has many. 0 or -1.
static int results_write(const struct cx_report *report, FILE *stream)
{
    size_t index;
    json_t *finding;
    int failed = fputc('[', stream) == EOF;
    json_array_foreach(report->findings, index, finding)
    {
        if (index == CX_SARIF_RESULTS_MAX) {
            break;
        }
        json_t *object = result(finding);
        char *text = json_dumps(object, JSON_COMPACT);
        failed |= text == NULL || fprintf(stream, "%s\n%s", index > 0 ? "," : "", text) < 0;
        free(text);
        json_decref(object);
    }
    return failed || fputc(']', stream) == EOF ? -1 : 0;
}

static json_t *notes(const struct cx_report *report)
{
    json_t *list = json_array();
    const char *invalid = cx_report_invalid(report);
    size_t count = json_array_size(report->findings);
    if (invalid[0] != '\0') {
        json_array_append_new(list, json_pack("{s:s, s:o}", "level", "error", "message", message(invalid)));
    }
    if (count > CX_SARIF_RESULTS_MAX) {
        char text[120];
        snprintf(text, sizeof(text), "%zu findings are left out: the format's readers take no more",
                 count - CX_SARIF_RESULTS_MAX);
        json_array_append_new(list, json_pack("{s:s, s:o}", "level", "warning", "message", message(text)));
    }
    return list;
}

int cx_report_sarif(const struct cx_report *report, FILE *stream)
{
    json_t *invocation = json_pack("{s:b}", "executionSuccessful", cx_report_invalid(report)[0] == '\0');
    json_t *list = notes(report);
    if (json_array_size(list) > 0) {
        json_object_set(invocation, "toolExecutionNotifications", list);
    }
    json_decref(list);
    json_t *log =
        json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:s, s:o}}, s:[o], s:{s:{s:{s:s}}}, s:s}]}", "$schema", CX_SARIF_SCHEMA,
                  "version", "2.1.0", "runs", "tool", "driver", "name", "constrictor", "version", CONSTRICTOR_VERSION,
                  "rules", rules(), "invocations", invocation, "originalUriBaseIds", "SRCROOT", "description", "text",
                  "the root of the sources: CPython's, or constrictor's for a scenario", "results", CX_SARIF_RESULTS);
    char *text = json_dumps(log, JSON_INDENT(1));
    int failed = text == NULL || cx_report_fill(report, text, "\"" CX_SARIF_RESULTS "\"", results_write, stream) != 0 ||
                 fputc('\n', stream) == EOF;
    free(text);
    json_decref(log);
    return failed ? -1 : 0;
}
