// SPDX-License-Identifier: Apache-2.0
//
// state: see state.h. The reports are in summary.c.
#include "harness/gate/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/exec/clock.h"

static void path_of(const char *dir, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%.4000s/gate.jsonl", dir);
}

static enum cx_status line_write(const struct cx_gate_state *state, const json_t *object, struct cx_error *error)
{
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    if (text == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    size_t bytes = strlen(text);
    text[bytes] = '\n'; // in the place of the NUL, so that text and newline go in one write
    ssize_t written = write(state->fd, text, bytes + 1);
    free(text);
    if (written != (ssize_t)(bytes + 1) || fdatasync(state->fd) != 0) {
        return cx_error_system(error, "gate.jsonl cannot be written");
    }
    return CX_OK;
}

enum cx_status cx_gate_state_create(struct cx_gate_state *state, const char *dir, json_t *asked, struct cx_error *error)
{
    char path[PATH_MAX];
    path_of(dir, path);
    state->asked = asked;
    state->results = json_array();
    state->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (state->fd < 0 && errno == EEXIST) {
        return cx_error_set(error, CX_ERR_USAGE, "%s has a gate already: --resume %s goes on with it", dir, dir);
    }
    if (state->fd < 0) {
        cx_error_system(error, "cannot make %s", path);
        return CX_ERR_ENVIRONMENT;
    }
    return line_write(state, asked, error);
}

static int text_is(const json_t *object, const char *key, const char *wanted)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL && strcmp(text, wanted) == 0;
}

static int same_question(const json_t *left, const json_t *right)
{
    static const char *const keys[] = {"scenario", "baseline", "candidate"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *text = json_string_value(json_object_get(right, keys[i]));
        if (text == NULL || !text_is(left, keys[i], text)) {
            return 0;
        }
    }
    return 1;
}

// Keep a result, in the place of an older one of the same scenario and pair.
static void result_put(struct cx_gate_state *state, json_t *object)
{
    for (size_t i = 0; i < json_array_size(state->results); i++) {
        if (same_question(json_array_get(state->results, i), object)) {
            json_array_set(state->results, i, object);
            return;
        }
    }
    json_array_append(state->results, object);
}

enum cx_status cx_gate_state_parse(struct cx_gate_state *state, const char *text, size_t text_bytes,
                                   size_t *whole_bytes, struct cx_error *error)
{
    state->results = json_array();
    *whole_bytes = 0;
    for (size_t line = 1; *whole_bytes < text_bytes; line++) {
        const char *from = text + *whole_bytes;
        const char *end = memchr(from, '\n', text_bytes - *whole_bytes);
        if (end == NULL) {
            break;
        }
        json_error_t reason;
        json_t *object = json_loadb(from, (size_t)(end - from), 0, &reason);
        const char *type = json_string_value(json_object_get(object, "type"));
        if (type == NULL || strcmp(type, line == 1 ? "gate" : "result") != 0) {
            json_decref(object);
            return cx_error_set(error, CX_ERR_FORMAT, "gate.jsonl, line %zu: not a line of a gate", line);
        }
        if (line == 1) {
            state->asked = object;
        } else {
            result_put(state, object);
            json_decref(object);
        }
        *whole_bytes += (size_t)(end - from) + 1;
    }
    if (json_integer_value(json_object_get(state->asked, "format")) != CX_GATE_FORMAT) {
        return cx_error_set(error, CX_ERR_FORMAT, "gate.jsonl has not the format %d", CX_GATE_FORMAT);
    }
    return CX_OK;
}

enum cx_status cx_gate_state_resume(struct cx_gate_state *state, const char *dir, struct cx_error *error)
{
    char path[PATH_MAX];
    struct stat about;
    path_of(dir, path);
    state->fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
    if (state->fd < 0 || fstat(state->fd, &about) != 0) {
        cx_error_system(error, "--resume %s: there is no gate to resume", dir);
        return CX_ERR_USAGE;
    }
    char *text = malloc((size_t)about.st_size + 1);
    size_t whole_bytes = 0;
    if (text == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    enum cx_status status = read(state->fd, text, (size_t)about.st_size) == about.st_size
                                ? cx_gate_state_parse(state, text, (size_t)about.st_size, &whole_bytes, error)
                                : cx_error_system(error, "cannot read %s", path);
    free(text);
    if (status == CX_OK && ftruncate(state->fd, (off_t)whole_bytes) != 0) {
        status = cx_error_system(error, "cannot write %s", path);
    }
    return status;
}

void cx_gate_state_close(struct cx_gate_state *state)
{
    if (state->fd > 0) {
        close(state->fd);
    }
    json_decref(state->asked);
    json_decref(state->results);
    memset(state, 0, sizeof(*state));
}

static json_t *side_json(const struct cx_gate_sight *sight, enum cx_gate_side side)
{
    return json_pack("{s:b, s:b, s:b, s:I, s:s, s:s}", "seen", sight->sides[side].seen, "expected",
                     sight->sides[side].expected, "confirmed", sight->sides[side].confirmed, "schedules",
                     (json_int_t)sight->sides[side].schedules, "schedule", sight->sides[side].schedule, "doubt",
                     sight->sides[side].doubt);
}

static json_t *result_json(const struct cx_gate_result *result)
{
    json_t *findings = json_array();
    for (size_t i = 0; i < result->sights->count; i++) {
        const struct cx_gate_sight *sight = &result->sights->list[i];
        json_array_append_new(findings,
                              json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "signature", sight->signature.text,
                                        "id", sight->signature.id, "kind", sight->kind, "verdict",
                                        cx_gate_verdict_name(sight->verdict), "known", sight->known, "issue",
                                        sight->issue, "baseline", side_json(sight, CX_GATE_BASELINE), "candidate",
                                        side_json(sight, CX_GATE_CANDIDATE)));
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:f, s:f, s:I, s:o}", "type", "result", "scenario",
                     result->scenario, "baseline", result->targets[CX_GATE_BASELINE], "candidate",
                     result->targets[CX_GATE_CANDIDATE], "verdict", cx_gate_verdict_name(result->verdict), "reason",
                     result->reason, "baseline_runs", (json_int_t)result->runs[CX_GATE_BASELINE], "candidate_runs",
                     (json_int_t)result->runs[CX_GATE_CANDIDATE], "baseline_cpu_s",
                     (double)result->cpu_ns[CX_GATE_BASELINE] / 1e9, "candidate_cpu_s",
                     (double)result->cpu_ns[CX_GATE_CANDIDATE] / 1e9, "spent_ms",
                     (json_int_t)(result->spent_ns / CX_NS_PER_MS), "findings", findings);
}

enum cx_status cx_gate_state_add(struct cx_gate_state *state, const struct cx_gate_result *result,
                                 struct cx_error *error)
{
    json_t *object = result_json(result);
    enum cx_status status = line_write(state, object, error);
    if (status == CX_OK) {
        result_put(state, object);
    }
    json_decref(object);
    return status;
}

int cx_gate_state_have(const struct cx_gate_state *state, const char *scenario, const char *baseline,
                       const char *candidate)
{
    for (size_t i = 0; i < json_array_size(state->results); i++) {
        const json_t *object = json_array_get(state->results, i);
        if (text_is(object, "scenario", scenario) && text_is(object, "baseline", baseline) &&
            text_is(object, "candidate", candidate)) {
            return !text_is(object, "reason", CX_GATE_NO_TIME);
        }
    }
    return 0;
}

uint64_t cx_gate_state_spent_ns(const struct cx_gate_state *state)
{
    json_int_t most_ms = 0;
    for (size_t i = 0; i < json_array_size(state->results); i++) {
        json_int_t spent_ms = json_integer_value(json_object_get(json_array_get(state->results, i), "spent_ms"));
        most_ms = spent_ms > most_ms ? spent_ms : most_ms;
    }
    return (uint64_t)most_ms * CX_NS_PER_MS;
}

const json_t *cx_gate_state_richest(const struct cx_gate_state *state, const char *baseline, const char *candidate,
                                    uint64_t runs_max)
{
    const json_t *richest = NULL;
    double most = 0;
    for (size_t i = 0; i < json_array_size(state->results); i++) {
        const json_t *result = json_array_get(state->results, i);
        if (!text_is(result, "baseline", baseline) || !text_is(result, "candidate", candidate) ||
            text_is(result, "verdict", cx_gate_verdict_name(CX_GATE_NOT_COMPARABLE))) {
            continue;
        }
        double runs = (double)json_integer_value(json_object_get(result, "candidate_runs"));
        double found = (double)json_array_size(json_object_get(result, "findings"));
        double claim = (1 + found) / (1 + runs / (double)runs_max); // who has found nothing has a turn sometimes
        if (claim > most) {
            most = claim;
            richest = result;
        }
    }
    return richest;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

void cx_gate_state_recall(const json_t *object, struct cx_gate_result *result, struct cx_gate_sights *sights)
{
    static const char *const sides[CX_GATE_SIDES] = {"baseline", "candidate"};
    static const char *const runs[CX_GATE_SIDES] = {"baseline_runs", "candidate_runs"};
    static const char *const cpu[CX_GATE_SIDES] = {"baseline_cpu_s", "candidate_cpu_s"};
    const json_t *findings = json_object_get(object, "findings");
    result->scenario = text_of(object, "scenario");
    for (int at = CX_GATE_BASELINE; at < CX_GATE_SIDES; at++) {
        result->runs[at] = (uint64_t)json_integer_value(json_object_get(object, runs[at]));
        result->cpu_ns[at] = (uint64_t)(json_number_value(json_object_get(object, cpu[at])) * 1e9);
    }
    for (size_t i = 0; i < json_array_size(findings); i++) {
        const json_t *finding = json_array_get(findings, i);
        struct cx_signature signature;
        cx_signature_parse(&signature, text_of(finding, "signature"));
        struct cx_gate_sight *sight = cx_gate_sights_get(sights, &signature);
        if (sight == NULL) {
            abort(); // a finding that is lost is worse than no verdict
        }
        snprintf(sight->kind, sizeof(sight->kind), "%s", text_of(finding, "kind"));
        snprintf(sight->known, sizeof(sight->known), "%s", text_of(finding, "known"));
        snprintf(sight->issue, sizeof(sight->issue), "%s", text_of(finding, "issue"));
        for (int at = CX_GATE_BASELINE; at < CX_GATE_SIDES; at++) {
            const json_t *side = json_object_get(finding, sides[at]);
            sight->sides[at].seen = json_is_true(json_object_get(side, "seen"));
            sight->sides[at].confirmed = json_is_true(json_object_get(side, "confirmed"));
            sight->sides[at].schedules = (uint64_t)json_integer_value(json_object_get(side, "schedules"));
            snprintf(sight->sides[at].schedule, PATH_MAX, "%s", text_of(side, "schedule"));
            snprintf(sight->sides[at].doubt, sizeof(sight->sides[at].doubt), "%s", text_of(side, "doubt"));
        }
    }
}

uint64_t cx_gate_state_left_out(const struct cx_gate_state *state)
{
    uint64_t count = 0;
    for (size_t i = 0; i < json_array_size(state->results); i++) {
        count += (uint64_t)text_is(json_array_get(state->results, i), "reason", CX_GATE_NO_TIME);
    }
    return count;
}

uint64_t cx_gate_state_count(const struct cx_gate_state *state, enum cx_gate_verdict verdict)
{
    uint64_t count = 0;
    for (size_t i = 0; i < json_array_size(state->results); i++) {
        count += (uint64_t)text_is(json_array_get(state->results, i), "verdict", cx_gate_verdict_name(verdict));
    }
    return count;
}
