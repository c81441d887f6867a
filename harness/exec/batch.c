// SPDX-License-Identifier: Apache-2.0
//
// batch: `run --in-process`: runs that one process plays one after the other.
//
// Only runs that pass count from there. One that does not pass is played again in a process of its own, and what comes
// of that is the run; if it passes there, the program remembers something from run to run. So does a program whose
// first runs go another way when they are played in one process. Both end it: the rest is played in processes of their
// own. Which runs share a process depends on luck, then, and nothing else does.
#include <stdio.h>
#include <string.h>

#include "harness/exec/explore_work.h"

#define FAILURES_MIN 16 // batches that a failing run ended, before their share matters
#define PASSES_MIN 2    // runs that a batch is to play on average, or a fork for each is cheaper

static void task_add(struct cx_task *task, uint64_t number)
{
    task->numbers[task->count++] = number;
    task->kind = CX_TASK_BATCH;
}

void cx_batch_fill(struct cx_explore *explore, struct cx_task *task, uint64_t ahead_max)
{
    struct cx_explore_work *work = explore->work;
    if (work->batching != CX_BATCHING_ON) {
        return;
    }
    while (task->count < CX_BATCH_MAX && work->again_count > 0 && !work->again[work->again_count - 1].alone) {
        task_add(task, work->again[--work->again_count].number);
    }
    while (task->count < CX_BATCH_MAX && work->next_deal < work->runs_end &&
           cx_deal_ready(work->deal, work->next_deal) && work->next_deal - work->next_judge < ahead_max) {
        task_add(task, work->next_deal++);
    }
}

int cx_batch_probe(struct cx_explore_work *work, struct cx_task *task)
{
    if (work->batching != CX_BATCHING_WAITS || work->next_judge <= CX_PROBE_RUNS ||
        work->next_judge >= work->runs_end) {
        return 0;
    }
    work->batching = CX_BATCHING_PROBES;
    for (uint64_t number = 1; number <= CX_PROBE_RUNS; number++) {
        task_add(task, number);
    }
    task->kind = CX_TASK_PROBE;
    return 1;
}

void cx_batch_request(const struct cx_explore *explore, const struct cx_task *task, struct cx_worker *worker)
{
    struct cx_batch *batch = cx_worker_batch(worker);
    struct cx_deviation *plan = cx_worker_plan(worker);
    struct cx_request *first = cx_worker_request(worker);
    uint32_t used = 0;
    for (uint32_t i = 0; i < task->count; i++) {
        struct cx_request *request = &batch->requests[i];
        cx_request_copy(request, first);
        cx_explore_request(explore, task->numbers[i], request, plan + used);
        request->plan_first = used;
        used += request->plan_count;
    }
    cx_request_copy(first, &batch->requests[0]);
    batch->count = task->count;
}

void cx_batch_give_up(struct cx_explore *explore, const char *reason)
{
    char line[400];
    if (explore->work->batching == CX_BATCHING_OFF) {
        return;
    }
    explore->work->batching = CX_BATCHING_OFF;
    snprintf(line, sizeof(line), "%s: --in-process ends: %.250s; each run has a process of its own now",
             explore->options->scenario, reason);
    cx_explore_say(explore, line);
}

static enum cx_status passes_take(struct cx_explore *explore, const struct cx_task *task,
                                  const struct cx_worker *worker, uint32_t done, struct cx_error *error)
{
    for (uint32_t i = 0; i < done; i++) {
        struct cx_record record;
        enum cx_status status = cx_record_take_batched(&record, worker, i, error);
        if (status != CX_OK) {
            return status;
        }
        cx_explore_keep(explore->work, task->numbers[i], &record);
    }
    return CX_OK;
}

// The same runs must have gone the same way when each had a process of its own.
static void probe_judge(struct cx_explore *explore, const struct cx_worker *worker, uint32_t done)
{
    struct cx_explore_work *work = explore->work;
    const struct cx_batch *batch = &cx_worker_channel(worker)->batch;
    const struct cx_result *last = cx_worker_result(worker);
    int same = batch->unfit[0] != '\0' || last->outcome == work->probe[done].outcome;
    for (uint32_t i = 0; i < done; i++) {
        same &= work->probe[i].outcome == CX_OUTCOME_PASS && work->probe[i].steps == batch->runs[i].steps &&
                work->probe[i].fingerprint == batch->runs[i].fingerprint;
    }
    work->batching = CX_BATCHING_ON;
    if (!same) {
        cx_batch_give_up(explore, "its runs go another way when others came before them in their process");
    }
}

static enum cx_status last_take(struct cx_explore *explore, const struct cx_task *task, const struct cx_worker *worker,
                                uint32_t done, struct cx_error *error)
{
    struct cx_explore_work *work = explore->work;
    const struct cx_result *result = cx_worker_result(worker);
    int passed = result->outcome == CX_OUTCOME_PASS && result->races_count == 0;
    if (!passed) {
        int unfit = cx_worker_channel(worker)->batch.unfit[0] != '\0';
        cx_explore_repeat(work, task->numbers[done], 1, unfit ? CX_OUTCOME_PASS : result->outcome);
        work->batches_ended++;
        return CX_OK;
    }
    struct cx_record record = {0};
    enum cx_status status = cx_record_take(&record, worker, 0, error);
    record.cpu_ns /= done + 1;
    record.wall_ns /= done + 1;
    record.fork_ns /= done + 1;
    cx_explore_keep(work, task->numbers[done], &record);
    return status;
}

enum cx_status cx_batch_end(struct cx_explore *explore, const struct cx_task *task, const struct cx_worker *worker,
                            struct cx_error *error)
{
    struct cx_explore_work *work = explore->work;
    const struct cx_batch *batch = &cx_worker_channel(worker)->batch;
    uint32_t done = batch->done < task->count ? batch->done : task->count - 1;
    if (task->kind == CX_TASK_PROBE) {
        probe_judge(explore, worker, done);
    } else {
        enum cx_status status = passes_take(explore, task, worker, done, error);
        status = status == CX_OK ? last_take(explore, task, worker, done, error) : status;
        if (status != CX_OK) {
            return status;
        }
        for (uint32_t i = task->count; i-- > done + 1;) {
            cx_explore_repeat(work, task->numbers[i], 0, CX_OUTCOME_PASS);
        }
        work->batched += done;
    }
    if (batch->unfit[0] != '\0') {
        char reason[CX_BATCH_UNFIT_BYTES + 40];
        snprintf(reason, sizeof(reason), "its runs would leave %s to the next ones", batch->unfit);
        cx_batch_give_up(explore, reason);
    } else if (done + 1 < task->count && cx_worker_result(worker)->outcome == CX_OUTCOME_PASS) {
        cx_batch_give_up(explore, "it ends by another way than the return of its first function");
    } else if (work->batches_ended >= FAILURES_MIN && work->batched < PASSES_MIN * work->batches_ended) {
        cx_batch_give_up(explore, "too many of its runs fail");
    }
    return CX_OK;
}

void cx_batch_alone(struct cx_explore *explore, const struct cx_task *task, const struct cx_result *result)
{
    if (task->failed != CX_OUTCOME_PASS && result->outcome == CX_OUTCOME_PASS) {
        char reason[200];
        snprintf(reason, sizeof(reason), "a run failed (%s) only after others in its process: it remembers something",
                 cx_outcome_name((enum cx_outcome)task->failed));
        cx_batch_give_up(explore, reason);
    }
}
