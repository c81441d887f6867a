// SPDX-License-Identifier: Apache-2.0
//
// story: see story.h.
#include "harness/detect/story.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CX_PERIOD_MAX 4       // switches that a repetition may consist of
#define CX_DEEDS_MAX 5        // operations told between two switches
#define CX_CHAIN_FRAMES_MAX 5 // callers named in one line
#define CX_TEXT_CHARS 600
#define CX_INDENT "        "

// "f (file:line) < g < h": the telling frame and the program's frames outside of it.
static void chain_text(const struct cx_story *story, const struct cx_stack *stack, char *text, size_t text_bytes)
{
    struct cx_symbol_stack *symbols = calloc(1, sizeof(*symbols));
    text[0] = '\0';
    if (symbols == NULL) {
        return;
    }
    const struct cx_resolver *resolver = story->render.resolver;
    resolver->stack(resolver->context, stack, CX_STACK_RETURNS, symbols);
    int index = cx_frame_telling_index(symbols);
    int printed = 0;
    for (uint32_t i = index < 0 ? symbols->count : (uint32_t)index; i < symbols->count; i++) {
        const struct cx_symbol_frame *frame = &symbols->frames[i];
        size_t used = strlen(text);
        if (frame->frame_class == CX_FRAME_HARNESS || frame->frame_class == CX_FRAME_UNKNOWN) {
            continue;
        }
        if (printed == 0) {
            snprintf(text, text_bytes, "%s (%s:%u)", frame->function, frame->file, frame->line);
        } else if (printed < CX_CHAIN_FRAMES_MAX) {
            snprintf(text + used, text_bytes - used, " < %s", frame->function);
        } else {
            snprintf(text + used, text_bytes - used, " < ...");
            break;
        }
        printed++;
    }
    free(symbols);
}

static void place_print(const struct cx_story *story, const struct cx_stack *stack)
{
    if (story->render.full) {
        cx_render_stack(&story->render, stack, CX_STACK_RETURNS, CX_INDENT);
        return;
    }
    char chain[CX_TEXT_CHARS];
    chain_text(story, stack, chain, sizeof(chain));
    if (chain[0] != '\0') {
        fprintf(story->render.stream, CX_INDENT "in %s\n", chain);
    }
}

// Operations that say something by themselves; plain atomics and yields are only counted.
static int op_tells(uint8_t op)
{
    switch ((enum cx_op)op) {
    case CX_OP_NONE:
    case CX_OP_POINT:
    case CX_OP_AFTER:
    case CX_OP_LOAD:
    case CX_OP_STORE:
    case CX_OP_RMW:
    case CX_OP_CAS:
    case CX_OP_READ:
    case CX_OP_WRITE:
    case CX_OP_FENCE:
    case CX_OP_YIELD:
    case CX_OP_SPIN:
        return 0;
    default:
        return 1;
    }
}

// "mutex-lock in f, sem-post in g": what stands in the log between two steps, each different deed once.
static void deeds_text(const struct cx_story *story, uint64_t from, uint64_t to, char *text, size_t text_bytes)
{
    const struct cx_resolver *resolver = story->render.resolver;
    struct cx_symbol_stack *caller = calloc(1, sizeof(*caller));
    size_t deeds = 0;
    text[0] = '\0';
    for (uint64_t i = from; caller != NULL && i < to && i < story->steps_count; i++) {
        const struct cx_step *step = &story->steps[i];
        if (!op_tells(step->op)) {
            continue;
        }
        char deed[160];
        resolver->address(resolver->context, step->caller, caller);
        const char *function = cx_frame_telling(caller);
        snprintf(deed, sizeof(deed), "%s%s%s", cx_op_name((enum cx_op)step->op), function != NULL ? " in " : "",
                 function != NULL ? function : "");
        size_t used = strlen(text);
        if (strstr(text, deed) != NULL) {
            continue;
        }
        if (deeds++ == CX_DEEDS_MAX) {
            snprintf(text + used, text_bytes - used, ", ...");
            break;
        }
        snprintf(text + used, text_bytes - used, "%s%s", used > 0 ? ", " : "", deed);
    }
    free(caller);
}

void cx_story_stop_text(const struct cx_event *event, char *text, size_t text_bytes)
{
    const char *op = cx_op_name((enum cx_op)event->op);
    char object[40] = "";
    if (event->object != 0) {
        const char *preposition = event->op == CX_OP_AFTER ? "on" : "of";
        snprintf(object, sizeof(object), " %s 0x%" PRIx64, preposition, event->object);
    }
    switch ((enum cx_switch_reason)event->reason) {
    case CX_SWITCH_PREEMPT:
        if (event->op == CX_OP_AFTER) {
            snprintf(text, text_bytes, "is stopped right after its operation%s, although it could go on", object);
        } else {
            snprintf(text, text_bytes, "is stopped before its %s%s, although it could go on", op, object);
        }
        break;
    case CX_SWITCH_BLOCK:
        snprintf(text, text_bytes, "has to wait: %s%s", op, object);
        break;
    case CX_SWITCH_YIELD:
        snprintf(text, text_bytes, "lets others go first: %s", op);
        break;
    case CX_SWITCH_EXIT:
        snprintf(text, text_bytes, "ends");
        break;
    case CX_SWITCH_PARK:
        snprintf(text, text_bytes, "parks for ever: %s", op);
        break;
    default:
        snprintf(text, text_bytes, "stops: %s", op);
        break;
    }
}

// Whether switches before this one were not kept.
static int after_gap(const struct cx_result *result, uint32_t index)
{
    return result->events_dropped > 0 && index == CX_EVENTS_FIRST;
}

static void event_print(const struct cx_story *story, uint32_t index)
{
    const struct cx_result *result = story->result;
    const struct cx_event *event = &result->events[index];
    FILE *stream = story->render.stream;
    char from[120], to[120], stop[200];
    cx_render_thread_name(result, event->from, from, sizeof(from));
    cx_render_thread_name(result, event->to, to, sizeof(to));
    if (event->reason == CX_SWITCH_NOTE) {
        fprintf(stream, "step %" PRIu64 ": %s: \"%s\"\n", event->step, from, event->note);
        return;
    }
    cx_story_stop_text(event, stop, sizeof(stop));
    fprintf(stream, "step %" PRIu64 ": %s %s%s\n", event->step, from, stop,
            event->deviation ? "  <-- the schedule wants it" : "");
    place_print(story, &event->from_stack);
    uint64_t until = index + 1 < result->events_count ? result->events[index + 1].step : result->steps;
    uint64_t steps = until > event->step ? until - event->step : 0;
    int itself = event->from == event->to;
    fprintf(stream, "    %s goes on%s%s", itself ? "and" : to, itself ? " itself" : "",
            event->expired ? ", because its timed wait ends" : "");
    if (after_gap(result, index + 1)) {
        fputc('\n', stream);
        return;
    }
    fprintf(stream, ", for %" PRIu64 " step%s\n", steps, steps == 1 ? "" : "s");
    if (!itself) {
        place_print(story, &event->to_stack);
    }
    char deeds[CX_TEXT_CHARS];
    deeds_text(story, event->step, until, deeds, sizeof(deeds));
    if (deeds[0] != '\0') {
        fprintf(stream, CX_INDENT "doing %s\n", deeds);
    }
}

static int event_alike(const struct cx_event *left, const struct cx_event *right)
{
    return left->from == right->from && left->to == right->to && left->reason == right->reason &&
           left->op == right->op && left->expired == right->expired && left->from_stack.count > 0 &&
           right->from_stack.count > 0 && left->from_stack.count == right->from_stack.count &&
           memcmp(left->from_stack.pcs, right->from_stack.pcs,
                  left->from_stack.count * sizeof(left->from_stack.pcs[0])) == 0 &&
           left->reason != CX_SWITCH_NOTE;
}

// How many events from `index` on repeat the `period` events before it.
static uint32_t repetition(const struct cx_result *result, uint32_t index, uint32_t period)
{
    uint32_t count = 0;
    int gap = result->events_dropped > 0;
    uint32_t begin = gap && index >= CX_EVENTS_FIRST ? CX_EVENTS_FIRST : 0;
    uint32_t end = gap && index < CX_EVENTS_FIRST ? CX_EVENTS_FIRST : result->events_count;
    while (index >= begin + period && index + count < end &&
           event_alike(&result->events[index + count], &result->events[index + count - period])) {
        count++;
    }
    return count - count % period;
}

void cx_story_switches(const struct cx_story *story)
{
    const struct cx_result *result = story->result;
    for (uint32_t i = 0; i < result->events_count;) {
        uint32_t repeated = 0;
        uint32_t period = 1;
        if (after_gap(result, i)) {
            fprintf(story->render.stream, "    ... and %u switches more, which were not recorded\n",
                    result->events_dropped);
        }
        for (; period <= CX_PERIOD_MAX; period++) {
            repeated = repetition(result, i, period);
            if (repeated > 0) {
                break;
            }
        }
        if (repeated > 0) {
            fprintf(story->render.stream, "    ... and the same %u more time%s, until step %" PRIu64 "\n",
                    repeated / period, repeated == period ? "" : "s", result->events[i + repeated - 1].step);
            i += repeated;
            continue;
        }
        event_print(story, i++);
    }
    if (result->events_dropped > 0) {
        fprintf(story->render.stream, "Not every switch was recorded; `constrictor shrink` helps\n");
    }
}

static void others_print(const struct cx_story *story)
{
    const struct cx_result *result = story->result;
    FILE *stream = story->render.stream;
    int printed = 0;
    for (uint32_t i = 0; i < result->reports_count; i++) {
        const struct cx_thread_report *report = &result->threads[i];
        if (report->current) {
            continue;
        }
        if (printed++ == 0) {
            fprintf(stream, "\nThe others meanwhile:\n");
        }
        char name[120];
        cx_render_thread_name(result, report->key, name, sizeof(name));
        static const char *const states[] = {"could go on at", "waits in", "is parked for ever in", "had ended"};
        int ended = report->status >= CX_THREAD_EXITED;
        const char *state = cx_report_left_behind(report) ? "was left behind by the fork"
                                                          : states[ended ? CX_THREAD_EXITED : report->status];
        fprintf(stream, "    %s %s%s%s\n", name, state, ended ? "" : " ",
                ended ? "" : cx_op_name((enum cx_op)report->op));
        if (!ended) {
            place_print(story, &report->stack);
        }
    }
}

void cx_story_end(const struct cx_story *story, enum cx_outcome kind, uint32_t race)
{
    const struct cx_result *result = story->result;
    FILE *stream = story->render.stream;
    char name[120] = "a thread";
    for (uint32_t i = 0; i < result->reports_count; i++) {
        if (result->threads[i].current) {
            cx_render_thread_name(result, result->threads[i].key, name, sizeof(name));
        }
    }
    fprintf(stream, "\nThe end, at step %" PRIu64 ", in %s: %s\n", result->steps, name, cx_outcome_sentence(kind));
    cx_render_symptom(&story->render, result, kind, race, "    ");
    if (kind != CX_OUTCOME_DEADLOCK && kind != CX_OUTCOME_HANG && kind != CX_OUTCOME_LIVELOCK) {
        others_print(story);
    }
    if (result->uncontrolled[0] != '\0') {
        fprintf(stream, "\nNot under control: %s\n", result->uncontrolled);
    }
}
