// SPDX-License-Identifier: Apache-2.0
//
// issue: one finding as the text of an issue for CPython's tracker: what happens, how to make it happen, the raw
// stacks, version and build. Short, for its readers get many: one page, and no more than 65,536 characters.
#include "reports/report.h"

#include <string.h>

#define CX_ISSUE_FRAMES_MAX 30u
#define CX_ISSUE_SCHEDULE_MAX 8000u

static void stack_print(const json_t *stack, FILE *stream)
{
    const char *role = cx_report_text(stack, "role");
    const char *thread = cx_report_text(stack, "thread");
    fprintf(stream, "%s", role[0] != '\0' ? role : "thread");
    if (thread[0] != '\0') {
        fprintf(stream, " (%s)", thread);
    }
    static const char *const members[] = {"access", "status", "operation", "waits_for", "depends_on"};
    static const char *const words[] = {"", "", "in", "waits for", "held by"};
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const char *text = cx_report_text(stack, members[i]);
        if (text[0] != '\0') {
            fprintf(stream, ", %s%s%s", words[i], words[i][0] != '\0' ? " " : "", text);
        }
    }
    fputs(":\n", stream);
    size_t index, printed = 0;
    json_t *frame;
    json_array_foreach(json_object_get(stack, "frames"), index, frame)
    {
        if (json_is_true(json_object_get(frame, "program")) && printed++ < CX_ISSUE_FRAMES_MAX) {
            fprintf(stream, "    #%zu %s %s:%lld\n", printed - 1, cx_report_text(frame, "function"),
                    cx_report_text(frame, "file"), cx_report_number(frame, "line"));
        }
    }
}

static void versions_print(const struct cx_report *report, const json_t *finding, FILE *stream)
{
    size_t index;
    json_t *target;
    json_array_foreach(report->targets, index, target)
    {
        if (cx_report_text(target, "python")[0] != '\0' &&
            strcmp(cx_report_text(target, "name"), cx_report_text(finding, "target")) == 0 &&
            strcmp(cx_report_text(target, "build_id"), cx_report_text(finding, "build_id")) == 0) {
            fprintf(stream, "CPython %s, %s, %s%s%s\n", cx_report_text(target, "python"),
                    cx_report_number(target, "gil") || json_is_true(json_object_get(target, "gil"))
                        ? "with the GIL"
                        : "free-threaded (--disable-gil)",
                    cx_report_number(target, "debug") ? "--with-pydebug" : "release",
                    cx_report_number(target, "tsan") ? ", --with-thread-sanitizer" : "", ", clang 19, Linux x86-64");
        }
    }
}

int cx_report_issue(const struct cx_report *report, const json_t *finding, FILE *stream)
{
    fprintf(stream, "# %s\n\n## What happens\n\n", cx_report_text(finding, "signature"));
    fprintf(stream, "%s. Seen in %lld runs of `%s`, of %lld; replayed with the same result %lld of %lld times.\n",
            cx_report_text(finding, "message"), cx_report_number(finding, "count"), cx_report_text(finding, "scenario"),
            cx_report_number(finding, "runs"), cx_report_number(finding, "confirmed"),
            cx_report_number(finding, "replays"));
    json_t *explanation = cx_report_part(finding, "explanation");
    if (explanation != NULL) {
        fprintf(stream, "\n## The interleaving\n\n```\n%.20000s\n```\n", json_string_value(explanation));
    }
    fputs("\n## Stacks\n\n```\n", stream);
    size_t index;
    json_t *stack;
    json_t *stacks = cx_report_part(finding, "stacks");
    json_array_foreach(stacks, index, stack)
    {
        stack_print(stack, stream);
    }
    fprintf(stream, "```\n\n## Again\n\n```\n%s\n```\n", cx_report_text(finding, "replay"));
    json_t *schedule = cx_report_part(finding, "shrunk_text");
    schedule = schedule != NULL ? schedule : cx_report_part(finding, "schedule_text");
    if (schedule != NULL && json_string_length(schedule) < CX_ISSUE_SCHEDULE_MAX) {
        fprintf(stream, "\nThe schedule:\n\n```\n%s```\n", json_string_value(schedule));
    }
    json_decref(schedule);
    json_decref(stacks);
    json_decref(explanation);
    fputs("\n## Version\n\n", stream);
    versions_print(report, finding, stream);
    return ferror(stream) ? -1 : 0;
}
