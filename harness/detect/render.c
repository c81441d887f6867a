// SPDX-License-Identifier: Apache-2.0
//
// render: see render.h.
#include "harness/detect/render.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CX_HINT_FRAMES 2u
#define CX_CLASS_OURS (1u << CX_FRAME_HARNESS | 1u << CX_FRAME_UNKNOWN)

static struct cx_symbol_stack *stack_resolve(const struct cx_render *render, const struct cx_stack *stack,
                                             enum cx_stack_kind kind)
{
    struct cx_symbol_stack *symbols = calloc(1, sizeof(*symbols));
    if (symbols == NULL) {
        abort(); // 5 kB
    }
    render->resolver->stack(render->resolver->context, stack, kind, symbols);
    return symbols;
}

static int frame_ours(const struct cx_symbol_frame *frame)
{
    return (CX_CLASS_OURS >> frame->frame_class) & 1;
}

static void frame_print(FILE *stream, const struct cx_symbol_frame *frame, const char *indent)
{
    fprintf(stream, "%s%s", indent, frame->function);
    if (frame->file[0] != '\0') {
        fprintf(stream, "  %s:%u", frame->file, frame->line);
    } else if (frame->frame_class == CX_FRAME_UNKNOWN) {
        fprintf(stream, "  0x%" PRIx64, frame->pc);
    }
    fputc('\n', stream);
}

void cx_render_stack(const struct cx_render *render, const struct cx_stack *stack, enum cx_stack_kind kind,
                     const char *indent)
{
    struct cx_symbol_stack *symbols = stack_resolve(render, stack, kind);
    uint32_t from = 0;
    uint32_t to = symbols->count;
    if (!render->full) {
        while (from < to && frame_ours(&symbols->frames[from])) {
            from++;
        }
        while (to > from && frame_ours(&symbols->frames[to - 1])) {
            to--;
        }
        if (from == to) {
            from = 0; // nothing but ours: a hint is better than nothing
            to = symbols->count < CX_HINT_FRAMES ? symbols->count : CX_HINT_FRAMES;
        }
    }
    uint32_t printed = 0;
    for (uint32_t i = from; i < to && printed < render->frames_max; i++, printed++) {
        frame_print(render->stream, &symbols->frames[i], indent);
    }
    if (from + printed < to || symbols->truncated) {
        fprintf(render->stream, "%s... %u more%s\n", indent, to - from - printed,
                symbols->truncated ? " and some that were not recorded" : "");
    }
    free(symbols);
}

static const struct cx_thread_report *report_find(const struct cx_result *result, uint32_t key)
{
    for (uint32_t i = 0; i < result->reports_count; i++) {
        if (result->threads[i].key == key) {
            return &result->threads[i];
        }
    }
    return NULL;
}

void cx_render_thread_name(const struct cx_result *result, uint32_t key, char *text, size_t text_bytes)
{
    const struct cx_thread_report *report = report_find(result, key);
    if (report == NULL) {
        snprintf(text, text_bytes, key == CX_THREAD_KEY_MAIN ? "main" : "thread #%08x", key);
    } else if (report->name[0] != '\0' && strcmp(report->name, report->path) != 0) {
        snprintf(text, text_bytes, "%s (%s)", report->name, report->path);
    } else {
        snprintf(text, text_bytes, "%s", report->path);
    }
}

static void place_render(const struct cx_render *render, const struct cx_stack *stack, enum cx_stack_kind kind,
                         char *text, size_t text_bytes)
{
    struct cx_symbol_stack *symbols = stack_resolve(render, stack, kind);
    int index = cx_frame_telling_index(symbols);
    if (index < 0) {
        snprintf(text, text_bytes, "an unknown place");
    } else if (symbols->frames[index].file[0] != '\0') {
        snprintf(text, text_bytes, "%s (%s:%u)", symbols->frames[index].function, symbols->frames[index].file,
                 symbols->frames[index].line);
    } else {
        snprintf(text, text_bytes, "%s", symbols->frames[index].function);
    }
    free(symbols);
}

void cx_render_place(const struct cx_render *render, const struct cx_stack *stack, char *text, size_t text_bytes)
{
    place_render(render, stack, CX_STACK_RETURNS, text, text_bytes);
}

void cx_render_place_fault(const struct cx_render *render, const struct cx_stack *stack, char *text, size_t text_bytes)
{
    place_render(render, stack, CX_STACK_FAULT, text, text_bytes);
}

int cx_report_left_behind(const struct cx_thread_report *report)
{
    return report->status == CX_THREAD_EXITED && report->op == CX_OP_FORK;
}

static int left_behind(const struct cx_result *result, uint32_t key)
{
    for (uint32_t i = 0; i < result->reports_count; i++) {
        if (result->threads[i].key == key) {
            return cx_report_left_behind(&result->threads[i]);
        }
    }
    return 0;
}

// "waits in cond-wait for the stop-the-world mutex, held by main"
static void thread_state_text(const struct cx_result *result, const struct cx_thread_report *report, char *text,
                              size_t text_bytes)
{
    const char *op = cx_op_name((enum cx_op)report->op);
    char object[40] = "";
    char holder[180] = "";
    char polling[100] = "";
    if (report->object != 0) {
        snprintf(object, sizeof(object), " on 0x%" PRIx64, report->object);
    }
    if (report->holder != 0) {
        char name[110];
        cx_render_thread_name(result, report->holder, name, sizeof(name));
        snprintf(holder, sizeof(holder), "; depends on %s%s", name,
                 left_behind(result, report->holder) ? ", which the fork left behind" : "");
    }
    if (report->expiries > 0) {
        snprintf(polling, sizeof(polling), "; polls: its timed wait ended %u times with nothing changed",
                 report->expiries);
    }
    switch ((enum cx_thread_status)report->status) {
    case CX_THREAD_PARKED:
        snprintf(text, text_bytes, "is parked for ever");
        break;
    case CX_THREAD_EXITED:
        snprintf(text, text_bytes, "has ended");
        break;
    case CX_THREAD_UNCONTROLLED:
        snprintf(text, text_bytes, "was here");
        break;
    case CX_THREAD_RUNNABLE:
        snprintf(text, text_bytes, "%s at %s%s", report->current ? "runs," : "can go on,", op, object);
        break;
    default:
        snprintf(text, text_bytes, "waits in %s%s%s%s%s%s%s", op, report->timed ? " (with a deadline)" : "", object,
                 report->waits_for[0] != '\0' ? " for " : "", report->waits_for, holder, polling);
        break;
    }
}

void cx_render_threads(const struct cx_render *render, const struct cx_result *result, const char *indent)
{
    char deeper[40];
    uint32_t ended = 0;
    uint32_t behind = 0;
    snprintf(deeper, sizeof(deeper), "%s    ", indent);
    for (uint32_t i = 0; i < result->reports_count; i++) {
        const struct cx_thread_report *report = &result->threads[i];
        if (report->status == CX_THREAD_EXITED) {
            behind += (uint32_t)cx_report_left_behind(report);
            ended += !cx_report_left_behind(report);
            continue;
        }
        char name[110], state[500];
        cx_render_thread_name(result, report->key, name, sizeof(name));
        thread_state_text(result, report, state, sizeof(state));
        fprintf(render->stream, "%s%s %s\n", indent, name, state);
        if ((report->status != CX_THREAD_PARKED && report->op != CX_OP_ACTORS) || render->full) {
            cx_render_stack(render, &report->stack, cx_report_stack_kind(report), deeper);
        }
    }
    if (ended > 0) {
        fprintf(render->stream, "%s%u thread%s had ended before\n", indent, ended, ended == 1 ? "" : "s");
    }
    if (behind > 0) {
        fprintf(render->stream, "%s%u thread%s of the process that forked this one: left behind by the fork\n", indent,
                behind, behind == 1 ? "" : "s");
    }
}

// The circle of the wait-for graph in one line, if there is one: "a --mutex-lock--> b --thread-join--> a".
static void circle_print(const struct cx_render *render, const struct cx_result *result, const char *indent)
{
    for (uint32_t i = 0; i < result->reports_count; i++) {
        const struct cx_thread_report *start = &result->threads[i];
        const struct cx_thread_report *at = start;
        uint32_t length = 0;
        do {
            at = at->holder != 0 ? report_find(result, at->holder) : NULL;
            length++;
        } while (at != NULL && at != start && length < result->reports_count);
        if (at != start) {
            continue; // no way back to where it began
        }
        char name[110];
        cx_render_thread_name(result, start->key, name, sizeof(name));
        fprintf(render->stream, "%scircle: %s", indent, name);
        for (uint32_t k = 0; k < length; k++) {
            const char *op = cx_op_name((enum cx_op)at->op);
            at = report_find(result, at->holder);
            cx_render_thread_name(result, at->key, name, sizeof(name));
            fprintf(render->stream, " --%s--> %s", op, name);
        }
        fputc('\n', render->stream);
        return;
    }
}

static void block_print(const struct cx_render *render, const struct cx_stack *stack, const char *done,
                        enum cx_stack_kind kind, const char *indent)
{
    char deeper[40];
    snprintf(deeper, sizeof(deeper), "%s    ", indent);
    if (stack->count > 0) {
        fprintf(render->stream, "%sthe memory was %s here\n", indent, done);
        cx_render_stack(render, stack, kind, deeper);
    }
}

void cx_render_race(const struct cx_render *render, const struct cx_result *result, const struct cx_race *race,
                    const char *indent)
{
    char deeper[40];
    snprintf(deeper, sizeof(deeper), "%s    ", indent);
    for (uint32_t i = 0; i < race->accesses_count; i++) {
        const struct cx_race_access *access = &race->accesses[i];
        char name[110] = "a thread";
        if (access->thread != 0) {
            cx_render_thread_name(result, access->thread, name, sizeof(name));
        }
        fprintf(render->stream, "%s%s %s of %u byte%s at 0x%" PRIx64 " by %s\n", indent,
                access->atomic ? "atomic" : "plain", access->write ? "write" : "read", access->bytes,
                access->bytes == 1 ? "" : "s", access->address, name);
        cx_render_stack(render, &access->stack, CX_STACK_REPORT, deeper);
    }
    block_print(render, &race->allocated, "allocated", CX_STACK_REPORT, indent);
}

void cx_render_symptom(const struct cx_render *render, const struct cx_result *result, enum cx_outcome kind,
                       uint32_t race, const char *indent)
{
    if (kind == CX_OUTCOME_RACE && race < result->races_count) {
        cx_render_race(render, result, &result->races[race], indent);
        return;
    }
    int told = strcmp(result->message, cx_outcome_sentence(kind)) == 0; // by whoever named the kind
    if (result->message[0] != '\0' && !told) {
        fprintf(render->stream, "%s%s%s%s\n", indent, result->message, result->location[0] != '\0' ? ", " : "",
                result->location);
    }
    if (kind == CX_OUTCOME_CRASH) {
        fprintf(render->stream, "%sfault address 0x%" PRIx64 "\n", indent, result->fault_address);
    }
    if (kind == CX_OUTCOME_DEADLOCK || kind == CX_OUTCOME_HANG || kind == CX_OUTCOME_LIVELOCK) {
        cx_render_threads(render, result, indent);
        if (kind == CX_OUTCOME_DEADLOCK) {
            circle_print(render, result, indent);
        }
        return;
    }
    if (result->stack.count > 0) {
        if (kind == CX_OUTCOME_DRIFT || kind == CX_OUTCOME_LEAK) {
            fprintf(render->stream, "%sone of them was made here\n", indent);
        }
        enum cx_stack_kind stack_kind = kind == CX_OUTCOME_CRASH ? CX_STACK_FAULT : CX_STACK_RETURNS;
        cx_render_stack(render, &result->stack, stack_kind, indent);
    }
    if (kind == CX_OUTCOME_CRASH) {
        block_print(render, &result->freed, "freed", CX_STACK_RETURNS, indent);
        block_print(render, &result->allocated, "allocated", CX_STACK_RETURNS, indent);
    }
}
