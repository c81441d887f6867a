// SPDX-License-Identifier: Apache-2.0
//
// perfetto: the interleaving of one finding as a trace in the JSON form of trace events, which Perfetto reads: a track
// for each thread with a slice for each time that it runs, hand-offs as flows between slices, locks as slices of their
// own (asynchronous ones, for locks need not nest), remarks and the end as instants.
//
// One microsecond of the trace is one step of the run: virtual time stands still where steps do not.
#include "reports/report.h"

#include <string.h>

// Tracks are numbered by the order of the story's threads, from 1.
static int track(json_t *names, const char *name)
{
    size_t index;
    json_t *known;
    json_array_foreach(names, index, known)
    {
        if (strcmp(json_string_value(known), name) == 0) {
            return (int)index + 1;
        }
    }
    json_array_append_new(names, json_string(name));
    return (int)json_array_size(names);
}

static void run_slice(json_t *list, int thread, json_int_t from, json_int_t to, const char *why)
{
    json_array_append_new(list,
                          json_pack("{s:s, s:s, s:s, s:i, s:i, s:I, s:I, s:{s:s}}", "ph", "X", "name", "runs", "cat",
                                    "run", "pid", 1, "tid", thread, "ts", from, "dur", to - from, "args", "ends", why));
}

// A flow has a beginning and an end within two slices, half a step inside of each.
static void hand_off(json_t *list, json_int_t id, int from, int to, json_int_t step)
{
    json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:I, s:i, s:i, s:f}", "ph", "s", "name", "hand-off", "cat",
                                          "switch", "id", id, "pid", 1, "tid", from, "ts", (double)step - 0.5));
    json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:I, s:i, s:i, s:f}", "ph", "f", "bp", "e", "name",
                                          "hand-off", "cat", "switch", "id", id, "pid", 1, "tid", to, "ts",
                                          (double)step + 0.5));
}

static void instant(json_t *list, int thread, json_int_t step, const char *text)
{
    json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:I}", "ph", "i", "s", "t", "name", text,
                                          "cat", "note", "pid", 1, "tid", thread, "ts", step));
}

static void locks(json_t *list, json_t *names, const json_t *story)
{
    size_t index;
    json_t *lock;
    json_array_foreach(json_object_get(story, "locks"), index, lock)
    {
        json_t *to = json_object_get(lock, "to");
        json_int_t end = json_is_integer(to) ? json_integer_value(to) : (json_int_t)cx_report_number(story, "steps");
        int thread = track(names, cx_report_text(lock, "thread"));
        char text[60];
        snprintf(text, sizeof(text), "holds %s", cx_report_text(lock, "object"));
        const char *const phases[] = {"b", "e"};
        const json_int_t times[] = {(json_int_t)cx_report_number(lock, "from"), end};
        for (int i = 0; i < 2; i++) {
            json_array_append_new(list,
                                  json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:I}", "ph", phases[i], "name", text, "cat",
                                            "lock", "id", (int)index + 1, "pid", 1, "tid", thread, "ts", times[i]));
        }
    }
}

static void switches(json_t *list, json_t *names, const json_t *story)
{
    const json_t *events = json_object_get(story, "events");
    json_int_t since = 0;
    int running = 0;
    size_t index;
    json_t *event;
    json_array_foreach(events, index, event)
    {
        int from = track(names, cx_report_text(event, "from"));
        int to = track(names, cx_report_text(event, "to"));
        json_int_t step = (json_int_t)cx_report_number(event, "step");
        if (cx_report_number(event, "gap") > 0) { // who ran meanwhile is not known
            run_slice(list, running, since, since + 1, "not recorded");
            since = step - 1;
        }
        if (strcmp(cx_report_text(event, "reason"), "note") == 0) {
            instant(list, from, step, cx_report_text(event, "text"));
            running = from;
            continue;
        }
        if (from != to) {
            run_slice(list, from, since, step, cx_report_text(event, "text"));
            hand_off(list, (json_int_t)index + 1, from, to, step);
            since = step;
        }
        running = to;
    }
    json_int_t end = (json_int_t)cx_report_number(story, "steps");
    if (running != 0) {
        run_slice(list, running, since, end, cx_report_text(story, "kind"));
        instant(list, running, end, cx_report_text(story, "message"));
    }
}

int cx_report_perfetto(const struct cx_report *report, const json_t *finding, FILE *stream)
{
    (void)report;
    json_t *story = cx_report_part(finding, "switches");
    json_t *list = json_array();
    json_t *names = json_array();
    size_t index;
    json_t *thread;
    json_array_foreach(json_object_get(story, "threads"), index, thread)
    {
        track(names, cx_report_text(thread, "thread"));
    }
    switches(list, names, story);
    locks(list, names, story);
    json_array_foreach(names, index, thread)
    {
        json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:i, s:{s:O}}", "ph", "M", "name", "thread_name", "pid",
                                              1, "tid", (int)index + 1, "args", "name", thread));
    }
    json_t *trace = json_pack("{s:o, s:s, s:{s:s, s:s, s:s}}", "traceEvents", list, "displayTimeUnit", "ns",
                              "otherData", "signature", cx_report_text(finding, "signature"), "scenario",
                              cx_report_text(finding, "scenario"), "target", cx_report_text(finding, "target"));
    int status = trace != NULL && json_dumpf(trace, stream, JSON_INDENT(1)) == 0 && fputc('\n', stream) != EOF ? 0 : -1;
    json_decref(names);
    json_decref(trace);
    json_decref(story);
    return status;
}
