// SPDX-License-Identifier: Apache-2.0
//
// record: see record.h.
#include "harness/exec/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CX_OUTPUT_BYTES_MAX 65536

static void result_copy(struct cx_result *to, const struct cx_result *from)
{
    memcpy(to, from, offsetof(struct cx_result, threads));
    memcpy(to->threads, from->threads, from->reports_count * sizeof(from->threads[0]));
    memcpy(to->races, from->races, from->races_count * sizeof(from->races[0]));
    memcpy(to->events, from->events, from->events_count * sizeof(from->events[0]));
}

static enum cx_status details_take(struct cx_record *record, const struct cx_worker *worker, struct cx_error *error)
{
    const struct cx_result *result = cx_worker_result(worker);
    record->result = calloc(1, sizeof(*record->result));
    record->deviations = malloc((result->deviations_count + 1) * sizeof(*record->deviations));
    record->output = malloc(CX_OUTPUT_BYTES_MAX);
    if (record->result == NULL || record->deviations == NULL || record->output == NULL) {
        cx_record_fini(record);
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory for a run's result");
    }
    result_copy(record->result, result);
    memcpy(record->deviations, cx_worker_deviations(worker), result->deviations_count * sizeof(*record->deviations));
    cx_worker_output(worker, record->output, CX_OUTPUT_BYTES_MAX);
    record->detailed = 1;
    const struct cx_request *request = &cx_worker_channel(worker)->request;
    if (!result->deviations_dropped || request->plan_count > record->mutations_count) {
        return CX_OK; // what is known of its plan is not all
    }
    record->request = malloc(sizeof(*record->request));
    if (record->request == NULL) {
        cx_record_fini(record);
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory for a run's result");
    }
    *record->request = *request;
    return CX_OK;
}

int cx_record_replayable(const struct cx_record *record)
{
    return record->detailed && (!record->result->deviations_dropped || record->request != NULL);
}

static void request_take(struct cx_record *record, const struct cx_channel *channel, const struct cx_request *request)
{
    record->strategy = request->strategy;
    record->seed = request->seed;
    if (record->strategy != CX_STRATEGY_POS || request->plan_count == 0 ||
        request->plan_count > CX_DEVIATIONS_MAX - request->plan_first) {
        return;
    }
    record->mutations_count = request->plan_count;
    record->mutations = malloc(record->mutations_count * sizeof(*record->mutations));
    if (record->mutations != NULL) {
        memcpy(record->mutations, channel->plan + request->plan_first,
               record->mutations_count * sizeof(*record->mutations));
    }
}

// What the request asked for beside the run's outcome.
static enum cx_status extras_take(struct cx_record *record, const struct cx_worker *worker, struct cx_error *error)
{
    const struct cx_result *result = cx_worker_result(worker);
    const struct cx_channel *channel = cx_worker_channel(worker);
    request_take(record, channel, &channel->request);
    memcpy(record->coverage, result->coverage, sizeof(record->coverage));
    if (channel->request.mode & CX_MODE_TRACE) {
        uint32_t threads = result->threads_count < CX_TRACE_THREADS_MAX ? result->threads_count : CX_TRACE_THREADS_MAX;
        record->trace_count = result->trace_count;
        record->trace_dropped = result->trace_dropped;
        record->trace_threads_count = threads;
        memcpy(record->trace_threads, channel->threads_made, sizeof(record->trace_threads));
        record->trace = malloc((result->trace_count + 1) * sizeof(*record->trace));
        if (record->trace != NULL) {
            memcpy(record->trace, channel->trace, result->trace_count * sizeof(*record->trace));
        }
    }
    int lost = (record->mutations_count > 0 && record->mutations == NULL) ||
               ((channel->request.mode & CX_MODE_TRACE) && record->trace == NULL);
    return lost ? cx_error_set(error, CX_ERR_MEMORY, "out of memory for a run's result") : CX_OK;
}

enum cx_status cx_record_take(struct cx_record *record, const struct cx_worker *worker, int detailed,
                              struct cx_error *error)
{
    const struct cx_result *result = cx_worker_result(worker);
    memset(record, 0, sizeof(*record));
    record->outcome = (enum cx_outcome)result->outcome;
    record->steps = result->steps;
    record->choices = result->choices;
    record->points_max = result->points_max;
    record->switches = result->switches;
    record->fingerprint = result->fingerprint;
    record->cpu_ns = result->cpu_ns;
    record->fork_ns = result->fork_ns;
    record->wall_ns = result->wall_ns;
    record->threads_count = result->threads_count;
    record->threads_parked = result->threads_parked;
    record->accesses_seen = result->accesses_seen;
    enum cx_status status = extras_take(record, worker, error);
    if (status != CX_OK) {
        cx_record_fini(record);
        return status;
    }
    if (!detailed && record->outcome == CX_OUTCOME_PASS && result->races_count == 0) {
        return CX_OK;
    }
    return details_take(record, worker, error);
}

enum cx_status cx_record_take_batched(struct cx_record *record, const struct cx_worker *worker, uint32_t at,
                                      struct cx_error *error)
{
    const struct cx_channel *channel = cx_worker_channel(worker);
    const struct cx_batch_run *run = &channel->batch.runs[at];
    const struct cx_result *last = cx_worker_result(worker);
    uint32_t plays = channel->batch.done + 1;
    memset(record, 0, sizeof(*record));
    record->outcome = CX_OUTCOME_PASS;
    record->steps = run->steps;
    record->choices = run->choices;
    record->points_max = run->points_max;
    record->switches = run->switches;
    record->fingerprint = run->fingerprint;
    record->cpu_ns = last->cpu_ns / plays;
    record->fork_ns = last->fork_ns / plays;
    record->wall_ns = last->wall_ns / plays;
    record->threads_count = run->threads_count;
    record->accesses_seen = run->accesses_seen;
    memcpy(record->coverage, run->coverage, sizeof(record->coverage));
    request_take(record, channel, &channel->batch.requests[at]);
    if (record->mutations_count > 0 && record->mutations == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory for a run's result");
    }
    return CX_OK;
}

enum cx_status cx_record_hang(struct cx_record *record, struct cx_error *error)
{
    memset(record, 0, sizeof(*record));
    record->outcome = CX_OUTCOME_HANG;
    record->result = calloc(1, sizeof(*record->result));
    record->deviations = calloc(1, sizeof(*record->deviations));
    record->output = calloc(1, 1);
    if (record->result == NULL || record->deviations == NULL || record->output == NULL) {
        cx_record_fini(record);
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory for a run's result");
    }
    record->result->outcome = CX_OUTCOME_HANG;
    record->result->deviations_dropped = 1; // nothing to replay
    snprintf(record->result->message, sizeof(record->result->message),
             "the runner did not come back in time and was killed");
    record->detailed = 1;
    return CX_OK;
}

void cx_record_fini(struct cx_record *record)
{
    free(record->result);
    free(record->deviations);
    free(record->output);
    free(record->request);
    free(record->mutations);
    free(record->trace);
    record->mutations = NULL;
    record->trace = NULL;
    record->result = NULL;
    record->deviations = NULL;
    record->output = NULL;
    record->request = NULL;
    record->detailed = 0;
}

enum cx_status cx_record_schedule(const struct cx_record *record, struct cx_schedule *schedule, struct cx_error *error)
{
    memset(schedule, 0, sizeof(*schedule));
    const struct cx_result *result = record->result;
    enum cx_status status = cx_schedule_deviations_set(schedule, record->deviations, result->deviations_count, error);
    for (uint32_t i = 0; status == CX_OK && i < result->reports_count; i++) {
        status = cx_schedule_path_add(schedule, result->threads[i].path, error);
    }
    snprintf(schedule->outcome, sizeof(schedule->outcome), "%s", cx_outcome_name(record->outcome));
    schedule->steps = record->steps;
    schedule->fingerprint = record->fingerprint;
    if (status != CX_OK) {
        cx_schedule_fini(schedule);
    }
    return status;
}
