// SPDX-License-Identifier: Apache-2.0
//
// story_json: a run with CX_MODE_EXPLAIN as one JSON object, for those who draw it (reports/):
//
//     {"format": 1, "steps": N, "time_ns": N, "kind": "crash", "message": "...", "location": "file:line",
//      "threads": [{"thread": "left (main.1)", "status": "blocked", "operation": "mutex-lock",
//                   "depends_on": "right (main.2)", "waits_for": "...", "current": false, "frames": [...],
//                   "place": "f"}],
//      "events": [{"step": N, "time_ns": N, "reason": "preempt", "from": "...", "to": "...", "operation": "load",
//                  "object": "0x...", "text": "...", "deviation": true, "expired": false, "from_frames": [...],
//                  "to_frames": [...], "place": "f", "gap": N if N events before this one were not kept}],
//      "locks": [{"thread": "...", "object": "0x...", "from": STEP, "to": STEP or null}],
//      "window": {"functions": ["f"], "runs": N, "inside": N, "outside": N, "anywhere": N} or null (trace/window.h),
//      "dropped": true if there were more events or locks than a run keeps: the first and the last ones}
//
// A frame is {"function", "file", "line"}; only the program's are there, the innermost first. `place` is the one that
// tells most (detect/frames.h), or "". Threads come in the order of their creation, named as stories name them.
#include "harness/detect/story.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static json_t *frames(const struct cx_story *story, const struct cx_stack *stack, enum cx_stack_kind kind)
{
    json_t *list = json_array();
    struct cx_symbol_stack *symbols = calloc(1, sizeof(*symbols));
    const struct cx_resolver *resolver = story->render.resolver;
    if (symbols != NULL && stack->count > 0) {
        resolver->stack(resolver->context, stack, kind, symbols);
        for (uint32_t i = 0; i < symbols->count; i++) {
            const struct cx_symbol_frame *frame = &symbols->frames[i];
            if (frame->frame_class != CX_FRAME_HARNESS && frame->frame_class != CX_FRAME_UNKNOWN) {
                json_array_append_new(list, json_pack("{s:s, s:s, s:i}", "function", frame->function, "file",
                                                      frame->file, "line", (int)frame->line));
            }
        }
    }
    free(symbols);
    return list;
}

// The function of a stack that tells most. A new reference.
static json_t *place(const struct cx_story *story, const struct cx_stack *stack, enum cx_stack_kind kind)
{
    struct cx_symbol_stack *symbols = calloc(1, sizeof(*symbols));
    const struct cx_resolver *resolver = story->render.resolver;
    const char *function = NULL;
    if (symbols != NULL && stack->count > 0) {
        resolver->stack(resolver->context, stack, kind, symbols);
        function = cx_frame_telling(symbols);
    }
    json_t *text = json_string(function != NULL ? function : "");
    free(symbols);
    return text;
}

static json_t *name(const struct cx_story *story, uint32_t key)
{
    char text[120];
    cx_render_thread_name(story->result, key, text, sizeof(text));
    return json_string(text);
}

static json_t *object(uint64_t address)
{
    return address != 0 ? json_sprintf("0x%" PRIx64, address) : json_null();
}

static json_t *threads(const struct cx_story *story, enum cx_outcome kind)
{
    static const char *const states[] = {
        [CX_THREAD_RUNNABLE] = "runnable",
        [CX_THREAD_BLOCKED] = "blocked",
        [CX_THREAD_PARKED] = "parked",
        [CX_THREAD_UNCONTROLLED] = "uncontrolled",
    };
    const struct cx_result *result = story->result;
    json_t *list = json_array();
    for (uint32_t i = 0; i < result->reports_count; i++) {
        const struct cx_thread_report *report = &result->threads[i];
        int known = report->status <= CX_THREAD_UNCONTROLLED && states[report->status] != NULL;
        const char *state = known ? states[report->status] : "ended";
        int fault = report->current && kind == CX_OUTCOME_CRASH;
        const struct cx_stack *stack = report->current && result->stack.count > 0 ? &result->stack : &report->stack;
        json_t *holder = report->holder != 0 ? name(story, report->holder) : json_null();
        enum cx_stack_kind stack_kind = fault ? CX_STACK_FAULT : CX_STACK_RETURNS;
        json_array_append_new(
            list, json_pack("{s:o, s:s, s:s, s:o, s:s, s:b, s:o, s:o}", "thread", name(story, report->key), "status",
                            state, "operation", cx_op_name((enum cx_op)report->op), "depends_on", holder, "waits_for",
                            report->waits_for, "current", (int)report->current, "frames",
                            frames(story, stack, stack_kind), "place", place(story, stack, stack_kind)));
    }
    return list;
}

static json_t *event_json(const struct cx_story *story, const struct cx_event *event)
{
    static const char *const reasons[] = {"preempt", "block", "yield", "exit", "park", "note"};
    char text[200];
    cx_story_stop_text(event, text, sizeof(text));
    int note = event->reason == CX_SWITCH_NOTE;
    return json_pack(
        "{s:I, s:I, s:s, s:o, s:o, s:s, s:o, s:s, s:b, s:b, s:o, s:o, s:o}", "step", (json_int_t)event->step, "time_ns",
        (json_int_t)event->time_ns, "reason", event->reason <= CX_SWITCH_NOTE ? reasons[event->reason] : "?", "from",
        name(story, event->from), "to", name(story, event->to), "operation", cx_op_name((enum cx_op)event->op),
        "object", object(event->object), "text", note ? event->note : text, "deviation", (int)event->deviation,
        "expired", (int)event->expired, "from_frames", frames(story, &event->from_stack, CX_STACK_RETURNS), "to_frames",
        frames(story, &event->to_stack, CX_STACK_RETURNS), "place", place(story, &event->from_stack, CX_STACK_RETURNS));
}

// One entry for each time that a lock was held; an end that did not come is null.
static json_t *locks(const struct cx_story *story)
{
    const struct cx_result *result = story->result;
    json_t *list = json_array();
    for (uint32_t i = 0; i < result->locks_count; i++) {
        const struct cx_lock_event *taken = &result->locks[i];
        if (!taken->acquired) {
            continue;
        }
        // Of one whose end was not kept it is known that it was held as long as entries are there.
        int before_gap = result->locks_dropped > 0 && i < CX_LOCKS_FIRST;
        uint32_t until = before_gap ? CX_LOCKS_FIRST : result->locks_count;
        json_t *end = NULL;
        for (uint32_t k = i + 1; k < until && end == NULL; k++) {
            if (result->locks[k].object == taken->object) {
                end = json_integer((json_int_t)result->locks[k].step);
            }
        }
        if (end == NULL && before_gap) {
            end = json_integer((json_int_t)result->locks[until - 1].step);
        }
        json_array_append_new(list, json_pack("{s:o, s:o, s:I, s:o}", "thread", name(story, taken->thread), "object",
                                              object(taken->object), "from", (json_int_t)taken->step, "to",
                                              end != NULL ? end : json_null()));
    }
    return list;
}

static json_t *window_json(const struct cx_schedule_window *window)
{
    if (window->runs == 0) {
        return json_null();
    }
    json_t *functions = json_array();
    for (const char *at = strcmp(window->functions, "-") == 0 ? "" : window->functions; *at != '\0';) {
        const char *end = strstr(at, "; ");
        size_t chars = end != NULL ? (size_t)(end - at) : strlen(at);
        json_array_append_new(functions, json_stringn(at, chars));
        at += chars + (end != NULL ? 2 : 0);
    }
    return json_pack("{s:o, s:I, s:I, s:I, s:I}", "functions", functions, "runs", (json_int_t)window->runs, "inside",
                     (json_int_t)window->inside, "outside", (json_int_t)window->outside, "anywhere",
                     (json_int_t)window->anywhere);
}

json_t *cx_story_json(const struct cx_story *story, enum cx_outcome kind)
{
    const struct cx_result *result = story->result;
    json_t *events = json_array();
    for (uint32_t i = 0; i < result->events_count; i++) {
        json_t *event = event_json(story, &result->events[i]);
        if (event != NULL && result->events_dropped > 0 && i == CX_EVENTS_FIRST) {
            json_object_set_new(event, "gap", json_integer((json_int_t)result->events_dropped));
        }
        json_array_append_new(events, event);
    }
    return json_pack("{s:i, s:I, s:I, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:b}", "format", 1, "steps",
                     (json_int_t)result->steps, "time_ns", (json_int_t)result->time_ns, "kind", cx_outcome_name(kind),
                     "message", result->message, "location", result->location, "threads", threads(story, kind),
                     "events", events, "locks", locks(story), "window", window_json(story->window), "dropped",
                     (int)(result->events_dropped || result->locks_dropped));
}
