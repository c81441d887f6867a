// SPDX-License-Identifier: Apache-2.0
//
// confirm: see confirm.h.
#include "harness/exec/confirm.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/trace/schedule.h"

void cx_confirm_request(const struct cx_record *record, struct cx_request *request, struct cx_deviation *plan)
{
    if (record->request != NULL) {
        int32_t cpu = request->cpu; // the worker's
        *request = *record->request;
        request->cpu = cpu;
        request->plan_first = 0;
        if (record->mutations_count > 0) {
            memcpy(plan, record->mutations, record->mutations_count * sizeof(*plan));
        }
        return;
    }
    request->strategy = CX_STRATEGY_REPLAY;
    request->mode = CX_MODE_STRICT;
    request->seed = record->seed;
    request->plan_count = record->result->deviations_count;
    memcpy(plan, record->deviations, record->result->deviations_count * sizeof(*plan));
}

void cx_confirm_divergence(const struct cx_result *result, char *text, size_t text_bytes)
{
    text[0] = '\0';
    if (result->outcome != CX_OUTCOME_DIVERGED && result->diverged_step == 0) {
        return;
    }
    struct cx_schedule names = {0};
    for (uint32_t i = 0; i < result->reports_count; i++) {
        (void)cx_schedule_path_add(&names, result->threads[i].path, NULL);
    }
    char expected[200], found[200];
    cx_schedule_deviation_text(&names, &result->diverged_expected, expected, sizeof(expected));
    cx_schedule_deviation_text(&names, &result->diverged_found, found, sizeof(found));
    snprintf(text, text_bytes, "at step %" PRIu64 ": expected `%s`, found `%s`%s%s", result->diverged_step, expected,
             found, result->message[0] != '\0' ? ": " : "", result->message);
    cx_schedule_fini(&names);
}

static void pass_judge(struct cx_confirm *confirm, const struct cx_result *result)
{
    const struct cx_record *record = confirm->record;
    if (result->outcome != (uint32_t)record->outcome) {
        snprintf(confirm->divergence, sizeof(confirm->divergence), "the replay ended as %s, the run as %s",
                 cx_outcome_name((enum cx_outcome)result->outcome), cx_outcome_name(record->outcome));
    } else if (result->steps != record->steps || result->fingerprint != record->fingerprint) {
        snprintf(confirm->divergence, sizeof(confirm->divergence),
                 "the replay had %" PRIu64 " steps (fingerprint %016" PRIx64 "), the run %" PRIu64 " (%016" PRIx64 ")",
                 result->steps, result->fingerprint, record->steps, record->fingerprint);
    }
}

int cx_confirm_repeat(struct cx_confirm *confirm, const struct cx_result *result)
{
    if (result->outcome != CX_OUTCOME_HANG || confirm->record->outcome == CX_OUTCOME_HANG ||
        confirm->slow == CX_CONFIRM_SLOW_MAX) {
        return 0;
    }
    confirm->slow++;
    return 1;
}

void cx_confirm_replay(struct cx_confirm *confirm, const struct cx_result *result, const struct cx_resolver *resolver)
{
    confirm->done++;
    char divergence[400];
    cx_confirm_divergence(result, divergence, sizeof(divergence));
    if (divergence[0] != '\0') {
        if (confirm->divergence[0] == '\0') {
            snprintf(confirm->divergence, sizeof(confirm->divergence), "%s", divergence);
        }
    } else if (confirm->pass_verify) {
        pass_judge(confirm, result);
    }
    if (confirm->fresh_count == 0) {
        return;
    }
    struct cx_symptoms *symptoms = calloc(1, sizeof(*symptoms));
    if (symptoms == NULL) {
        abort(); // no judgement is worse than none
    }
    cx_symptoms_find(result, resolver, symptoms);
    confirm->passed += divergence[0] == '\0' && symptoms->count == 0 && result->outcome == CX_OUTCOME_PASS;
    for (uint32_t i = 0; i < confirm->fresh_count; i++) {
        struct cx_finding *finding = confirm->fresh[i];
        finding->replays++;
        if (cx_symptoms_have(symptoms, finding->signature.id)) {
            finding->confirmed++;
        } else if (finding->divergence[0] == '\0') {
            snprintf(finding->divergence, sizeof(finding->divergence), "%s%.380s",
                     divergence[0] != '\0' ? "" : "signature changed: ",
                     divergence[0] != '\0'  ? divergence
                     : symptoms->count == 0 ? "the replay passed"
                                            : symptoms->list[0].signature.text);
        }
    }
    free(symptoms);
}

int cx_confirm_slow(const struct cx_confirm *confirm)
{
    return confirm->record->outcome == CX_OUTCOME_HANG && confirm->fresh_count == 1 &&
           confirm->passed == CX_CONFIRMATIONS && confirm->record->result->uncontrolled[0] == '\0';
}

int cx_confirm_outside(const struct cx_confirm *confirm, char *text, size_t text_bytes)
{
    const struct cx_result *result = confirm->record->result;
    if (result == NULL || result->uncontrolled[0] == '\0') {
        return 0;
    }
    snprintf(text, text_bytes,
             "a passing run went another way when it was played again (%.300s); not under control: %s",
             confirm->divergence, result->uncontrolled);
    return 1;
}
