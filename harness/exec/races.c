// SPDX-License-Identifier: Apache-2.0
//
// races: see races.h.
#include "harness/exec/races.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/exec/confirm.h"
#include "harness/exec/record.h"
#include "harness/exec/seed.h"
#include "harness/exec/within.h"
#include "harness/finding.h"
#include "harness/trace/format.h"

#define DEPTH 3 // where pct drives

int cx_race_of_freed(const struct cx_race *race)
{
    return strcmp(race->type, "heap-use-after-free") == 0;
}

void cx_races_fini(struct cx_races *races)
{
    cx_aim_fini(&races->aim);
}

enum cx_status cx_races_find(struct cx_races *races, struct cx_error *error)
{
    struct cx_session *session = races->session;
    const struct cx_schedule *schedule = &session->schedule;
    if (strncmp(schedule->signature, "race ", strlen("race ")) != 0) {
        return cx_error_set(error, CX_ERR_USAGE, "%s is the schedule of no race, but of: %.300s", races->path,
                            schedule->signature);
    }
    enum cx_status status =
        cx_session_play(session, schedule->deviations, (size_t)schedule->deviations_count, CX_MODE_STRICT, error);
    if (status != CX_OK) {
        return status;
    }
    const struct cx_result *result = cx_worker_result(session->worker);
    uint32_t found = CX_RACE_NONE;
    for (uint32_t i = 0; i < session->symptoms.count; i++) {
        const struct cx_symptom *symptom = &session->symptoms.list[i];
        if (symptom->kind == CX_OUTCOME_RACE && strcmp(symptom->signature.id, session->signature_id) == 0) {
            found = symptom->race;
        }
    }
    if (found >= result->races_count || result->races[found].accesses_count < 2) {
        return cx_error_set(error, CX_ERR_USAGE, "the schedule does not show its race here");
    }
    races->race = result->races[found];
    status = cx_aim_find(&races->aim, &races->race, &session->resolver, cx_worker_identity(session->worker), error);
    session->points = races->aim.points;
    return status;
}

// FILE.cxs becomes FILE.race-<signature>.cxs.
static void failure_path(const char *path, struct cx_race_failure *failure)
{
    char id[sizeof(failure->signature.id)]; // a copy: the compiler cannot see that the two texts are apart
    memcpy(id, failure->signature.id, sizeof(id));
    size_t chars = strlen(path);
    size_t suffix_chars = strlen(CX_SCHEDULE_SUFFIX);
    if (chars > suffix_chars && strcmp(path + chars - suffix_chars, CX_SCHEDULE_SUFFIX) == 0) {
        chars -= suffix_chars;
    }
    snprintf(failure->path, sizeof(failure->path), "%.*s.race-%s%s", (int)chars, path, id, CX_SCHEDULE_SUFFIX);
}

static enum cx_status failure_write(struct cx_races *races, struct cx_race_failure *failure,
                                    const struct cx_record *record, uint64_t run, struct cx_error *error)
{
    const struct cx_schedule *from = &races->session->schedule;
    struct cx_schedule schedule;
    enum cx_status status = cx_record_schedule(record, &schedule, error);
    if (status != CX_OK) {
        return status;
    }
    snprintf(schedule.scenario, sizeof(schedule.scenario), "%s", from->scenario);
    snprintf(schedule.target, sizeof(schedule.target), "%s", from->target);
    snprintf(schedule.build_id, sizeof(schedule.build_id), "%s", cx_worker_identity(races->session->worker)->build_id);
    snprintf(schedule.strategy, sizeof(schedule.strategy), "race");
    snprintf(schedule.signature, sizeof(schedule.signature), "%s", failure->signature.text);
    schedule.seed = record->seed;
    schedule.run = run;
    schedule.steps_max = from->steps_max;
    cx_within_save(&races->session->points, &races->aim.words, &schedule);
    if (races->session->subject.kind != CX_SUBJECT_NONE) {
        cx_subject_save(&races->session->subject, &schedule);
    }
    failure_path(races->path, failure);
    status = cx_schedule_write(&schedule, failure->path, error);
    cx_schedule_fini(&schedule);
    return status;
}

// Replay what the record shows; only what comes back each time is written down.
static enum cx_status failure_confirm(struct cx_races *races, struct cx_race_failure *failure,
                                      const struct cx_record *record, uint64_t run, struct cx_error *error)
{
    if (record->result->deviations_dropped) {
        return CX_OK;
    }
    for (int i = 0; i < CX_CONFIRMATIONS; i++) {
        const struct cx_request wanted = {.strategy = CX_STRATEGY_REPLAY,
                                          .mode = CX_MODE_STRICT,
                                          .seed = record->seed,
                                          .plan_count = record->result->deviations_count};
        enum cx_status status = cx_session_request(races->session, &wanted, record->deviations, error);
        if (status != CX_OK) {
            return status;
        }
        failure->confirmed += (uint32_t)cx_symptoms_have(&races->session->symptoms, failure->signature.id);
    }
    return failure->confirmed == CX_CONFIRMATIONS ? failure_write(races, failure, record, run, error) : CX_OK;
}

// A run that did not end in time, and whose schedule does: it was slow.
static int was_slow(const struct cx_race_failure *failure)
{
    return failure->kind == CX_OUTCOME_HANG && failure->confirmed < CX_CONFIRMATIONS;
}

static struct cx_race_failure *failure_get(struct cx_races *races, const struct cx_symptom *symptom, int *fresh)
{
    *fresh = 0;
    for (uint32_t i = 0; i < races->failures_count; i++) {
        if (strcmp(races->failures[i].signature.id, symptom->signature.id) == 0) {
            return &races->failures[i];
        }
    }
    if (races->failures_count == CX_RACE_FAILURES_MAX) {
        races->failures_left_out = 1;
        return NULL;
    }
    struct cx_race_failure *failure = &races->failures[races->failures_count++];
    failure->signature = symptom->signature;
    failure->kind = symptom->kind;
    *fresh = 1;
    return failure;
}

static int is_failure(const struct cx_symptom *symptom, const struct cx_result *result)
{
    return symptom->kind != CX_OUTCOME_RACE ||
           (symptom->race < result->races_count && cx_race_of_freed(&result->races[symptom->race]));
}

// Judge the run that was just played, of which `record` is a copy.
static enum cx_status run_judge(struct cx_races *races, uint32_t first, uint64_t run, const struct cx_record *record,
                                struct cx_error *error)
{
    struct cx_symptoms *symptoms = malloc(sizeof(*symptoms));
    if (symptoms == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    *symptoms = races->session->symptoms; // replays overwrite them
    enum cx_status status = CX_OK;
    int failed = 0;
    for (uint32_t i = 0; i < symptoms->count && status == CX_OK; i++) {
        if (!is_failure(&symptoms->list[i], record->result)) {
            continue;
        }
        if (!record->result->race_met) {
            races->failed_apart++;
            break;
        }
        int fresh = 0;
        struct cx_race_failure *failure = failure_get(races, &symptoms->list[i], &fresh);
        if (fresh) {
            status = failure_confirm(races, failure, record, run, error);
        }
        if (failure != NULL) {
            failure->runs[first]++;
        }
        failed |= failure == NULL || !was_slow(failure);
    }
    races->failed[first] += (uint64_t)failed;
    free(symptoms);
    return status;
}

static enum cx_status run_play(struct cx_races *races, uint64_t run, struct cx_error *error)
{
    uint32_t first = (uint32_t)(run & 1);
    struct cx_request wanted = {.strategy = CX_STRATEGY_RACE,
                                .pct_depth = DEPTH,
                                .seed = cx_mix(races->session->schedule.seed ^ cx_mix(run + 1)),
                                .choices_expected = races->choices,
                                .race = races->aim.race};
    wanted.race.first = first;
    wanted.rules.early_ns_max = CX_EARLY_NS_DEFAULT;
    enum cx_status status = cx_session_request(races->session, &wanted, NULL, error);
    if (status != CX_OK) {
        return status;
    }
    const struct cx_result *result = cx_worker_result(races->session->worker);
    if (result->outcome == CX_OUTCOME_ERROR) {
        return cx_error_set(error, CX_ERR_RUNNER, "run %llu: %s", (unsigned long long)run, result->message);
    }
    races->met[first] += result->race_met != 0;
    struct cx_record record = {0};
    status = cx_record_take(&record, races->session->worker, 1, error);
    if (status == CX_OK) {
        record.seed = wanted.seed;
        status = run_judge(races, first, run, &record, error);
    }
    cx_record_fini(&record);
    return status;
}

enum cx_status cx_races_play(struct cx_races *races, uint64_t runs, struct cx_error *error)
{
    // How long a run is, with these points.
    enum cx_status status = cx_session_play(races->session, NULL, 0, 0, error);
    if (status == CX_OK) {
        races->choices = cx_worker_result(races->session->worker)->choices;
    }
    for (uint64_t run = 0; run < 2 * runs && status == CX_OK; run++) {
        status = run_play(races, run, error);
        races->played = (run + 1) / 2;
    }
    return status;
}

int cx_races_harmful(const struct cx_races *races)
{
    return cx_race_of_freed(&races->race) || races->failed[0] + races->failed[1] > 0;
}
