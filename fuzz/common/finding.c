// SPDX-License-Identifier: Apache-2.0
//
// finding: see finding.h. One signature is one finding: it is replayed, and filed as `constrictor run` files it, with
// its input beside it.
#include "fuzz/common/finding.h"

#include "fuzz/common/input.h"
#include "harness/detect/render.h"
#include "harness/detect/symbolizer.h"
#include "harness/exec/confirm.h"
#include "harness/exec/record.h"
#include "harness/exec/seed.h"
#include "harness/names.h"
#include "harness/options.h"
#include "harness/trace/format.h"
#include "harness/trace/schedule.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FRAMES_MAX 8

static struct {
    struct cx_worker *worker; // borrowed: of the run that is judged
    const char *target;       // borrowed
    struct cx_symbolizer *symbolizer;
    struct cx_symbolizer_view view;
    struct cx_resolver resolver;
    struct cx_names seen; // ids of signatures
    struct cx_symptoms symptoms;
    char folder[PATH_MAX - 200];
} judge;

enum cx_status fuzz_finding_begin(struct cx_worker *worker, const char *target, struct cx_error *error)
{
    const char *out = getenv("CONSTRICTOR_FUZZ_OUT");
    judge.worker = worker;
    judge.target = target;
    snprintf(judge.folder, sizeof(judge.folder), "%s", out != NULL && out[0] != '\0' ? out : "constrictor-out");
    enum cx_status status = cx_symbolizer_new(&judge.symbolizer, NULL, error);
    judge.view = (struct cx_symbolizer_view){judge.symbolizer, cx_worker_identity(worker)};
    judge.resolver = (struct cx_resolver){&judge.view, cx_symbolizer_view_stack, cx_symbolizer_view_address};
    return status;
}

void fuzz_finding_end(void)
{
    cx_symbolizer_free(judge.symbolizer);
    cx_names_fini(&judge.seen);
    judge.symbolizer = NULL;
}

// How many of three strict replays show the signature again.
static uint32_t replay(const struct fuzz_run *run, const struct cx_record *record, const char *id)
{
    static struct cx_symptoms symptoms;
    uint32_t same = 0;
    for (uint32_t i = 0; i < CX_CONFIRMATIONS; i++) {
        struct cx_error error = {0};
        struct cx_request *request = cx_worker_request(judge.worker);
        request->scenario = run->scenario;
        cx_confirm_request(record, request, cx_worker_plan(judge.worker));
        if (cx_worker_play(judge.worker, &error) != CX_OK) {
            fprintf(stderr, "fuzz: a replay was lost: %s\n", error.text);
            if (cx_worker_restart(judge.worker, &error) != CX_OK) {
                return same;
            }
            continue;
        }
        cx_symptoms_find(cx_worker_result(judge.worker), &judge.resolver, &symptoms);
        same += (uint32_t)cx_symptoms_have(&symptoms, id);
    }
    return same;
}

static void schedule_describe(struct cx_schedule *schedule, const struct fuzz_run *run,
                              const struct cx_signature *signature)
{
    uint32_t count = 0;
    const struct cx_scenario_info *info = &cx_worker_scenarios(judge.worker, &count)[run->scenario];
    snprintf(schedule->scenario, sizeof(schedule->scenario), "%s", info->name);
    snprintf(schedule->target, sizeof(schedule->target), "%s", judge.target);
    snprintf(schedule->build_id, sizeof(schedule->build_id), "%s", cx_worker_identity(judge.worker)->build_id);
    snprintf(schedule->strategy, sizeof(schedule->strategy), "%s", cx_strategy_name(run->strategy));
    snprintf(schedule->signature, sizeof(schedule->signature), "%s", signature->text);
    schedule->depth = run->strategy == CX_STRATEGY_PCT ? run->pct_depth : 0;
    schedule->seed = run->seed;
}

// <folder>/<target>/<scenario with dots>-<id>, without an ending; makes the folders.
static void name_make(const struct cx_schedule *schedule, const char *id, char path[PATH_MAX])
{
    char scenario[sizeof(schedule->scenario)];
    snprintf(scenario, sizeof(scenario), "%s", schedule->scenario);
    for (char *at = scenario; *at != '\0'; at++) {
        *at = *at == '/' ? '.' : *at;
    }
    mkdir(judge.folder, 0777);
    snprintf(path, PATH_MAX, "%s/%s", judge.folder, judge.target);
    mkdir(path, 0777);
    snprintf(path, PATH_MAX, "%s/%s/%s-%s", judge.folder, judge.target, scenario, id);
}

static void input_write(const struct fuzz_run *run, const char *path)
{
    FILE *file = fopen(path, "wbe");
    if (file == NULL || fwrite(run->data, 1, run->size, file) != run->size) {
        fprintf(stderr, "fuzz: cannot write %s: %s\n", path, strerror(errno));
    }
    if (file != NULL) {
        fclose(file);
    }
}

static void save(const struct fuzz_run *run, const struct cx_record *record, const struct cx_signature *signature,
                 char path[PATH_MAX])
{
    struct cx_schedule schedule;
    struct cx_error error = {0};
    char name[PATH_MAX + 10];
    enum cx_status status = cx_record_schedule(record, &schedule, &error);
    path[0] = '\0';
    if (status == CX_OK) {
        schedule_describe(&schedule, run, signature);
        name_make(&schedule, signature->id, path);
        snprintf(name, sizeof(name), "%s.input", path);
        input_write(run, name);
        snprintf(name, sizeof(name), "%s%s", path, CX_SCHEDULE_SUFFIX);
        status = cx_schedule_write(&schedule, name, &error);
        cx_schedule_fini(&schedule);
    }
    if (status != CX_OK) {
        fprintf(stderr, "fuzz: the schedule of this finding is lost: %s\n", error.text);
    }
}

static void file(const struct fuzz_run *run, const struct cx_record *record, const struct cx_symptom *symptom,
                 uint64_t number)
{
    struct cx_render render = {.stream = stderr, .resolver = &judge.resolver, .frames_max = FRAMES_MAX};
    char path[PATH_MAX];
    uint32_t same = replay(run, record, symptom->signature.id);
    save(run, record, &symptom->signature, path);
    fprintf(stderr, "\nFINDING: %s\n  replayed with the same signature %u of %d times\n", symptom->signature.text, same,
            CX_CONFIRMATIONS);
    fprintf(stderr, "  in schedule %" PRIu64 " of this process\n", number);
    cx_render_symptom(&render, record->result, symptom->kind, symptom->race, "    ");
    fprintf(stderr, "  again: constrictor replay %s%s\n  input: %s.input\n", path, CX_SCHEDULE_SUFFIX, path);
}

int fuzz_finding_judge(const struct fuzz_run *run, struct cx_worker *worker, uint64_t number, uint64_t *outcome)
{
    const struct cx_result *result = cx_worker_result(worker);
    judge.worker = worker;
    *outcome = 0;
    struct cx_error error = {0};
    struct cx_record record;
    // What the harness could not do, and what did not come to an end in time, is nobody's fault.
    if (result->outcome == CX_OUTCOME_ERROR || result->outcome == CX_OUTCOME_HANG) {
        fprintf(stderr, "fuzz: a run without a result: %s\n", result->message);
        return 0;
    }
    cx_symptoms_find(result, &judge.resolver, &judge.symptoms);
    if (judge.symptoms.count == 0 || cx_record_take(&record, judge.worker, 1, &error) != CX_OK) {
        return 0;
    }
    const char *first = judge.symptoms.list[0].signature.id;
    *outcome = cx_hash_bytes(CX_HASH_START, first, strlen(first));
    for (uint32_t i = 0; i < judge.symptoms.count; i++) {
        const struct cx_symptom *symptom = &judge.symptoms.list[i];
        if (!cx_names_have(&judge.seen, symptom->signature.id)) {
            cx_names_append(&judge.seen, symptom->signature.id);
            file(run, &record, symptom, number);
        }
    }
    cx_record_fini(&record);
    return 1;
}
