// SPDX-License-Identifier: Apache-2.0
//
// junit: a store as JUnit XML: a suite for each target, a case for each scenario, a failure for each unexpected
// finding. What is expected stands in the case's output. A scenario that explored nothing, or whose canary stayed
// silent, is an error: a consumer that counts failures must not take it for a pass.
#include "reports/report.h"

#include <libxml/xmlwriter.h>
#include <stdlib.h>
#include <string.h>

static void attribute(xmlTextWriterPtr xml, const char *name, const char *value)
{
    xmlTextWriterWriteAttribute(xml, BAD_CAST name, BAD_CAST value);
}

// XML has no place for most control characters, whatever a program has printed.
static char *printable(const char *text)
{
    char *copy = strdup(text);
    for (char *at = copy; at != NULL && *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        *at = byte < 0x20 && byte != '\n' && byte != '\t' ? '?' : *at;
    }
    return copy;
}

static void element_with_text(xmlTextWriterPtr xml, const char *name, const char *message, const char *type,
                              const char *text)
{
    char *clean = printable(text);
    xmlTextWriterStartElement(xml, BAD_CAST name);
    if (message != NULL) {
        attribute(xml, "message", message);
    }
    if (type != NULL) {
        attribute(xml, "type", type);
    }
    xmlTextWriterWriteString(xml, BAD_CAST(clean != NULL ? clean : ""));
    xmlTextWriterEndElement(xml);
    free(clean);
}

static void finding_write(xmlTextWriterPtr xml, const json_t *finding)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    if (stream == NULL) {
        return;
    }
    json_t *part = cx_report_part(finding, "explanation");
    const char *explanation = part != NULL ? json_string_value(part) : "";
    fprintf(stream, "%s\n%s, seen in %lld runs, replayed with the same signature %lld of %lld times\n",
            cx_report_text(finding, "signature"), cx_report_text(finding, "status"), cx_report_number(finding, "count"),
            cx_report_number(finding, "confirmed"), cx_report_number(finding, "replays"));
    fprintf(stream, "again: %s\n%s%s", cx_report_text(finding, "replay"), explanation[0] != '\0' ? "\n" : "",
            explanation);
    json_decref(part);
    fclose(stream);
    if (cx_report_unexpected(finding)) {
        element_with_text(xml, "failure", cx_report_text(finding, "signature"), cx_report_text(finding, "kind"), text);
    } else {
        element_with_text(xml, "system-out", NULL, NULL, text);
    }
    free(text);
}

// Expected findings come after the others: the format wants failures before output.
static void case_findings_write(xmlTextWriterPtr xml, const struct cx_report *report, const json_t *cell)
{
    size_t index;
    json_t *finding;
    json_array_foreach(report->findings, index, finding)
    {
        if (strcmp(cx_report_text(finding, "target"), cx_report_text(cell, "target")) == 0 &&
            strcmp(cx_report_text(finding, "scenario"), cx_report_text(cell, "scenario")) == 0) {
            finding_write(xml, finding);
        }
    }
}

static const char *error_of(const char *verdict)
{
    static const struct {
        const char *verdict;
        const char *text;
    } errors[] = {
        {"error", "the harness failed: not all of its runs were played"},
        {"missing", "the finding that is expected of this canary did not come"},
        {"nothing", "nothing was explored: no point had more than one thread to choose from"},
        {"unfinished", "interrupted before its end"},
    };
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        if (strcmp(errors[i].verdict, verdict) == 0) {
            return errors[i].text;
        }
    }
    return NULL;
}

static void case_write(xmlTextWriterPtr xml, const struct cx_report *report, const json_t *cell)
{
    char name[200], time[40];
    const char *verdict = cx_report_text(cell, "verdict");
    snprintf(name, sizeof(name), "constrictor.%s", cx_report_text(cell, "target"));
    snprintf(time, sizeof(time), "%.3f", (double)cx_report_number(cell, "cpu_ms") / 1000);
    xmlTextWriterStartElement(xml, BAD_CAST "testcase");
    attribute(xml, "classname", name);
    attribute(xml, "name", cx_report_text(cell, "scenario"));
    attribute(xml, "time", time);
    if (strcmp(verdict, "skipped") == 0) {
        xmlTextWriterStartElement(xml, BAD_CAST "skipped");
        xmlTextWriterEndElement(xml);
    }
    const char *error = error_of(verdict);
    if (error != NULL) {
        element_with_text(xml, "error", error, verdict, error);
    }
    case_findings_write(xml, report, cell);
    xmlTextWriterEndElement(xml);
}

static void suite_write(xmlTextWriterPtr xml, const struct cx_report *report, const char *target)
{
    int tests = 0, failures = 0, errors = 0, skipped = 0;
    double seconds = 0;
    size_t index;
    json_t *cell;
    json_array_foreach(report->cells, index, cell)
    {
        const char *verdict = cx_report_text(cell, "verdict");
        if (strcmp(cx_report_text(cell, "target"), target) == 0) {
            tests++;
            failures += strcmp(verdict, "findings") == 0;
            errors += error_of(verdict) != NULL;
            skipped += strcmp(verdict, "skipped") == 0;
            seconds += (double)cx_report_number(cell, "cpu_ms") / 1000;
        }
    }
    xmlTextWriterStartElement(xml, BAD_CAST "testsuite");
    attribute(xml, "name", target);
    xmlTextWriterWriteFormatAttribute(xml, BAD_CAST "tests", "%d", tests);
    xmlTextWriterWriteFormatAttribute(xml, BAD_CAST "failures", "%d", failures);
    xmlTextWriterWriteFormatAttribute(xml, BAD_CAST "errors", "%d", errors);
    xmlTextWriterWriteFormatAttribute(xml, BAD_CAST "skipped", "%d", skipped);
    xmlTextWriterWriteFormatAttribute(xml, BAD_CAST "time", "%.3f", seconds);
    json_array_foreach(report->cells, index, cell)
    {
        if (strcmp(cx_report_text(cell, "target"), target) == 0) {
            case_write(xml, report, cell);
        }
    }
    xmlTextWriterEndElement(xml);
}

// A soak whose canaries were not found is an error of its own, whatever its scenarios say.
static void invalid_write(xmlTextWriterPtr xml, const char *invalid)
{
    xmlTextWriterStartElement(xml, BAD_CAST "testsuite");
    attribute(xml, "name", "soak");
    attribute(xml, "tests", "1");
    attribute(xml, "failures", "0");
    attribute(xml, "errors", "1");
    attribute(xml, "skipped", "0");
    attribute(xml, "time", "0");
    xmlTextWriterStartElement(xml, BAD_CAST "testcase");
    attribute(xml, "classname", "constrictor.soak");
    attribute(xml, "name", "canaries");
    attribute(xml, "time", "0");
    element_with_text(xml, "error", invalid, "invalid", invalid);
    xmlTextWriterEndElement(xml);
    xmlTextWriterEndElement(xml);
}

int cx_report_junit(const struct cx_report *report, FILE *stream)
{
    xmlBufferPtr buffer = xmlBufferCreate();
    xmlTextWriterPtr xml = buffer != NULL ? xmlNewTextWriterMemory(buffer, 0) : NULL;
    int status = -1;
    if (xml != NULL) {
        xmlTextWriterSetIndent(xml, 1);
        xmlTextWriterStartDocument(xml, NULL, "UTF-8", NULL);
        xmlTextWriterStartElement(xml, BAD_CAST "testsuites");
        const char *before = "";
        size_t index;
        json_t *cell;
        json_array_foreach(report->cells, index, cell) // in the order of targets
        {
            const char *target = cx_report_text(cell, "target");
            if (strcmp(target, before) != 0) {
                suite_write(xml, report, target);
            }
            before = target;
        }
        if (cx_report_invalid(report)[0] != '\0') {
            invalid_write(xml, cx_report_invalid(report));
        }
        status = xmlTextWriterEndDocument(xml) < 0 ? -1 : 0;
        xmlFreeTextWriter(xml);
        status |= fwrite(xmlBufferContent(buffer), 1, (size_t)xmlBufferLength(buffer), stream) ==
                          (size_t)xmlBufferLength(buffer)
                      ? 0
                      : -1;
    }
    xmlBufferFree(buffer);
    return status;
}
