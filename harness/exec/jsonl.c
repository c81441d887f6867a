// SPDX-License-Identifier: Apache-2.0
//
// jsonl: see jsonl.h.
#include "harness/exec/jsonl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum cx_status cx_jsonl_open(struct cx_jsonl *jsonl, const char *path, struct cx_error *error)
{
    memset(jsonl, 0, sizeof(*jsonl));
    jsonl->path = path;
    jsonl->file = fopen(path, "we");
    return jsonl->file != NULL ? CX_OK : cx_error_system(error, "cannot write %s", path);
}

void cx_jsonl_write(struct cx_jsonl *jsonl, json_t *object)
{
    if (jsonl->file != NULL) {
        if (object == NULL || json_dumpf(object, jsonl->file, JSON_COMPACT) != 0 || fputc('\n', jsonl->file) == EOF ||
            fflush(jsonl->file) != 0) {
            jsonl->failed = 1;
        }
    }
    json_decref(object);
}

enum cx_status cx_jsonl_status(const struct cx_jsonl *jsonl, struct cx_error *error)
{
    return jsonl->failed
               ? cx_error_set(error, CX_ERR_SYSTEM, "%s is incomplete: not all of it could be written", jsonl->path)
               : CX_OK;
}

enum cx_status cx_jsonl_close(struct cx_jsonl *jsonl, struct cx_error *error)
{
    if (jsonl->file == NULL) {
        return CX_OK;
    }
    jsonl->failed |= fclose(jsonl->file) != 0;
    jsonl->file = NULL;
    return cx_jsonl_status(jsonl, error);
}

json_t *cx_jsonl_text(const char *bytes)
{
    json_t *text = json_string(bytes);
    char *copy = text == NULL ? strdup(bytes) : NULL;
    for (char *at = copy; at != NULL && *at != '\0'; at++) {
        *at = (unsigned char)*at < 0x80 ? *at : '?'; // no UTF-8, so no text
    }
    if (copy != NULL) {
        text = json_string(copy);
        free(copy);
    }
    return text;
}

json_t *cx_jsonl_hex(uint64_t number)
{
    return json_sprintf("0x%016" PRIx64, number);
}

static json_t *frames_json(const struct cx_stack *stack, const struct cx_resolver *resolver, enum cx_stack_kind kind)
{
    json_t *list = json_array();
    struct cx_symbol_stack *symbols = calloc(1, sizeof(*symbols));
    if (symbols == NULL) {
        return list;
    }
    resolver->stack(resolver->context, stack, kind, symbols);
    for (uint32_t i = 0; i < symbols->count; i++) {
        const struct cx_symbol_frame *frame = &symbols->frames[i];
        int program = frame->frame_class != CX_FRAME_HARNESS && frame->frame_class != CX_FRAME_UNKNOWN;
        json_array_append_new(list, json_pack("{s:s%, s:s%, s:i, s:b}", "function", frame->function,
                                              strlen(frame->function), "file", frame->file, strlen(frame->file), "line",
                                              (int)frame->line, "program", program));
    }
    free(symbols);
    return list;
}

static void thread_names(const struct cx_result *result, uint32_t key, const char **path, const char **role)
{
    *path = "";
    *role = "";
    for (uint32_t i = 0; i < result->reports_count; i++) {
        if (result->threads[i].key == key) {
            *path = result->threads[i].path;
            *role = cx_thread_role(&result->threads[i]);
        }
    }
}

// What was done to the memory that the finding is about, if that is known.
static void block_add(json_t *list, const char *what, const struct cx_stack *stack, const struct cx_resolver *resolver,
                      enum cx_stack_kind kind)
{
    if (stack->count > 0) {
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o}", "thread", "", "role", "", "access", what,
                                              "frames", frames_json(stack, resolver, kind)));
    }
}

static json_t *race_json(const struct cx_result *result, const struct cx_race *race, const struct cx_resolver *resolver)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < race->accesses_count; i++) {
        const struct cx_race_access *access = &race->accesses[i];
        const char *path = NULL;
        const char *role = NULL;
        thread_names(result, access->thread, &path, &role);
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:i, s:b, s:o}", "thread", path, "role", role, "access",
                                              access->write ? "write" : "read", "bytes", (int)access->bytes, "atomic",
                                              (int)access->atomic, "frames",
                                              frames_json(&access->stack, resolver, CX_STACK_REPORT)));
    }
    block_add(list, "allocation", &race->allocated, resolver, CX_STACK_REPORT);
    return list;
}

static json_t *threads_json(const struct cx_result *result, const struct cx_resolver *resolver)
{
    static const char *const states[] = {
        [CX_THREAD_RUNNABLE] = "runnable",
        [CX_THREAD_BLOCKED] = "blocked",
        [CX_THREAD_PARKED] = "parked",
        [CX_THREAD_UNCONTROLLED] = "uncontrolled",
    };
    json_t *list = json_array();
    for (uint32_t i = 0; i < result->reports_count; i++) {
        const struct cx_thread_report *report = &result->threads[i];
        if (report->status > CX_THREAD_UNCONTROLLED || states[report->status] == NULL) {
            continue;
        }
        const char *holder_path = NULL;
        const char *holder_role = NULL;
        thread_names(result, report->holder, &holder_path, &holder_role);
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:i, s:o}", "thread", report->path,
                                              "role", cx_thread_role(report), "status", states[report->status],
                                              "operation", cx_op_name((enum cx_op)report->op), "depends_on",
                                              holder_path, "waits_for", report->waits_for, "timed", (int)report->timed,
                                              "expiries", (int)report->expiries, "frames",
                                              frames_json(&report->stack, resolver, cx_report_stack_kind(report))));
    }
    return list;
}

json_t *cx_jsonl_stacks(const struct cx_result *result, const struct cx_resolver *resolver, enum cx_outcome kind,
                        uint32_t race)
{
    if (kind == CX_OUTCOME_RACE && race < result->races_count) {
        return race_json(result, &result->races[race], resolver);
    }
    if (kind == CX_OUTCOME_DEADLOCK || kind == CX_OUTCOME_HANG || kind == CX_OUTCOME_LIVELOCK) {
        return threads_json(result, resolver);
    }
    const char *path = "";
    const char *role = "";
    for (uint32_t i = 0; i < result->reports_count; i++) {
        if (result->threads[i].current) {
            thread_names(result, result->threads[i].key, &path, &role);
        }
    }
    enum cx_stack_kind stack_kind = kind == CX_OUTCOME_CRASH ? CX_STACK_FAULT : CX_STACK_RETURNS;
    json_t *list = json_array();
    json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "thread", path, "role", role, "frames",
                                          frames_json(&result->stack, resolver, stack_kind)));
    if (kind == CX_OUTCOME_CRASH) {
        block_add(list, "release", &result->freed, resolver, CX_STACK_RETURNS);
        block_add(list, "allocation", &result->allocated, resolver, CX_STACK_RETURNS);
    }
    return list;
}
