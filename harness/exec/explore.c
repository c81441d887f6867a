// SPDX-License-Identifier: Apache-2.0
//
// explore: see explore.h.
//
// Runs are numbered from 0 inside: 0 is the run in the default order (absent without control), and i is the campaign's
// run run_first + i - 1. A ring of slots holds the runs that are dealt and not judged yet; it bounds how far a fast
// worker can run ahead of a slow one or of a confirmation.
#include "harness/exec/explore.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "harness/exec/clock.h"
#include "harness/exec/explore_work.h"
#include "harness/exec/interrupt.h"
#include "harness/exec/seed.h"
#include "harness/scenario.h"

#define CX_AHEAD_PER_WORKER 6u // runs that a worker may be ahead of the judging
#define CX_RESTARTS_MAX 3u

enum cx_outcome cx_explore_expected(uint32_t expect)
{
    static const enum cx_outcome outcomes[] = {
        [CX_EXPECT_CRASH] = CX_OUTCOME_CRASH,         [CX_EXPECT_RACE] = CX_OUTCOME_RACE,
        [CX_EXPECT_DEADLOCK] = CX_OUTCOME_DEADLOCK,   [CX_EXPECT_LIVELOCK] = CX_OUTCOME_LIVELOCK,
        [CX_EXPECT_INVARIANT] = CX_OUTCOME_INVARIANT, [CX_EXPECT_DIVERGED] = CX_OUTCOME_DIVERGED,
        [CX_EXPECT_DRIFT] = CX_OUTCOME_DRIFT,         [CX_EXPECT_LEAK] = CX_OUTCOME_LEAK,
    };
    return expect < sizeof(outcomes) / sizeof(outcomes[0]) ? outcomes[expect] : CX_OUTCOME_PASS;
}

uint64_t cx_explore_run_of(const struct cx_explore *explore, uint64_t number)
{
    return number == 0 ? CX_RUN_DEFAULT : explore->options->run_first + number - 1;
}

uint64_t cx_explore_seed_of(const struct cx_explore *explore, uint64_t number)
{
    const struct cx_explore_options *options = explore->options;
    return cx_seed_of_run(options->seed, options->scenario, options->strategy, cx_explore_run_of(explore, number));
}

void cx_explore_say(const struct cx_explore *explore, const char *text)
{
    explore->observer->message(explore->observer->context, text);
}

static int time_left(const struct cx_explore *explore)
{
    const struct cx_explore_options *options = explore->options;
    int late = options->floor_end_ns > 0 && cx_clock_ns() >= options->floor_end_ns;
    if (explore->work->next_deal <= (late && options->runs_floor > 1 ? 1 : options->runs_floor)) {
        return 1;
    }
    int cpu_left = options->cpu_ns_max == 0 || explore->totals.cpu_ns < options->cpu_ns_max;
    return cpu_left && (options->deadline_ns == CX_NO_DEADLINE || cx_clock_ns() < options->deadline_ns);
}

// What every request of the exploration has; `aim`: of a run that is directed at a race, else NULL.
static void request_begin(const struct cx_explore *explore, const struct cx_aim *aim, struct cx_request *request)
{
    request->scenario = explore->scenario;
    request->wall_ms_max = explore->options->wall_ms_max;
    request->steps_max = explore->options->steps_max;
    request->rules = explore->options->rules;
    request->points = aim != NULL ? aim->points : *explore->options->points;
}

void cx_explore_request(const struct cx_explore *explore, uint64_t number, struct cx_request *request,
                        struct cx_deviation *plan)
{
    request_begin(explore, NULL, request); // the deal knows what a run is directed at
    cx_deal_request(explore->work->deal, number, cx_explore_seed_of(explore, number), request, plan);
}

static enum cx_status task_begin(struct cx_explore *explore, uint32_t at, struct cx_error *error)
{
    struct cx_explore_work *work = explore->work;
    struct cx_worker *worker = explore->crew->workers[at];
    const struct cx_task *task = &work->tasks[at];
    if (task->kind == CX_TASK_BATCH || task->kind == CX_TASK_PROBE) {
        cx_batch_request(explore, task, worker);
        return cx_worker_begin(worker, error);
    }
    struct cx_request *request = cx_worker_request(worker);
    if (task->kind == CX_TASK_RUN) {
        cx_explore_request(explore, task->numbers[0], request, cx_worker_plan(worker));
        return cx_worker_begin(worker, error);
    }
    request_begin(explore, work->confirm.record->aim, request);
    cx_confirm_request(work->confirm.record, request, cx_worker_plan(worker));
    return cx_worker_begin(worker, error);
}

// The next thing for an idle worker to do; its kind is CX_TASK_NONE if there is nothing.
static void task_next(struct cx_explore *explore, struct cx_task *task)
{
    struct cx_explore_work *work = explore->work;
    *task = (struct cx_task){.kind = CX_TASK_NONE};
    if (work->confirm.active && work->confirm.started < work->confirm.wanted) {
        work->confirm.started++;
        *task = (struct cx_task){.kind = CX_TASK_REPLAY, .count = 1, .numbers = {work->next_judge}};
        return;
    }
    if (cx_batch_probe(work, task)) {
        return;
    }
    uint64_t each = work->batching == CX_BATCHING_ON ? CX_BATCH_MAX : CX_AHEAD_PER_WORKER;
    uint64_t ahead_max = each * explore->crew->count + 2;
    ahead_max = ahead_max < CX_SLOTS_COUNT ? ahead_max : CX_SLOTS_COUNT;
    if (work->again_count > 0) {
        const struct cx_repeat *again = &work->again[--work->again_count];
        *task = (struct cx_task){.kind = CX_TASK_RUN, .count = 1, .numbers = {again->number}, .failed = again->failed};
        if (!again->alone) {
            cx_batch_fill(explore, task, ahead_max);
        }
        return;
    }
    if (cx_deal_over(work->deal)) {
        work->runs_end = work->next_deal;
    }
    if (!cx_deal_ready(work->deal, work->next_deal) || work->next_deal >= work->runs_end ||
        work->next_deal - work->next_judge >= ahead_max) {
        return;
    }
    if (work->next_deal > 0 && !time_left(explore)) {
        work->runs_end = work->next_deal;
        return;
    }
    *task = (struct cx_task){.kind = CX_TASK_RUN, .count = 1, .numbers = {work->next_deal++}};
    cx_batch_fill(explore, task, ahead_max);
}

static enum cx_status tasks_deal(struct cx_explore *explore, struct cx_error *error)
{
    for (uint32_t i = 0; i < explore->crew->count; i++) {
        if (cx_worker_busy(explore->crew->workers[i])) {
            continue;
        }
        struct cx_task *task = &explore->work->tasks[i];
        task_next(explore, task);
        if (task->kind == CX_TASK_NONE) {
            break;
        }
        enum cx_status status = task_begin(explore, i, error);
        if (status != CX_OK) {
            return status;
        }
    }
    return CX_OK;
}

void cx_explore_repeat(struct cx_explore_work *work, uint64_t number, int alone, uint32_t failed)
{
    work->again[work->again_count++] = (struct cx_repeat){.number = number, .alone = alone, .failed = failed};
}

// Put the task of a worker back among those to be dealt.
static void task_repeat(struct cx_explore_work *work, const struct cx_task *task)
{
    if (task->kind == CX_TASK_REPLAY) {
        work->confirm.started--;
    } else if (task->kind == CX_TASK_PROBE) {
        work->batching = CX_BATCHING_WAITS;
    } else {
        for (uint32_t i = 0; i < task->count; i++) {
            cx_explore_repeat(work, task->numbers[i], 1, task->failed);
        }
    }
}

// A runner is gone: say it, count it, and play its task again on a fresh one.
static enum cx_status worker_replace(struct cx_explore *explore, uint32_t at, const char *reason,
                                     struct cx_error *error)
{
    struct cx_explore_work *work = explore->work;
    if (++work->restarts > CX_RESTARTS_MAX) {
        return cx_error_set(error, CX_ERR_RUNNER, "%.400s; %u restarts did not help", reason, CX_RESTARTS_MAX);
    }
    char line[560];
    snprintf(line, sizeof(line), "%.400s; its run is played again on a new one", reason);
    cx_explore_say(explore, line);
    enum cx_status status = cx_worker_restart(explore->crew->workers[at], error);
    if (status != CX_OK) {
        return status;
    }
    task_repeat(work, &work->tasks[at]);
    work->tasks[at].kind = CX_TASK_NONE;
    return CX_OK;
}

// A record without anything in it but a hang that only the command saw.
static enum cx_status timeout_take(struct cx_explore *explore, uint32_t at, struct cx_record *record,
                                   struct cx_error *error)
{
    enum cx_status status = cx_record_hang(record, error);
    return status == CX_OK ? cx_worker_restart(explore->crew->workers[at], error) : status;
}

// 1 for a run that somebody else ended, such as a kernel without memory; a few of them are played again.
static int run_killed(struct cx_explore_work *work, const struct cx_result *result)
{
    int status = result->wait_status;
    return result->outcome == CX_OUTCOME_ERROR && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL &&
           ++work->restarts <= CX_RESTARTS_MAX;
}

void cx_explore_keep(struct cx_explore_work *work, uint64_t number, const struct cx_record *record)
{
    struct cx_slot *slot = &work->slots[number % CX_SLOTS_COUNT];
    slot->record = *record;
    slot->record.dealt = cx_deal_strategy(work->deal, number);
    slot->record.aim = cx_deal_aim_of(work->deal, number);
    slot->ready = 1;
}

// Take what a worker brought back of one run.
static enum cx_status run_end(struct cx_explore *explore, uint32_t at, enum cx_answer answer, struct cx_error *error)
{
    struct cx_explore_work *work = explore->work;
    struct cx_worker *worker = explore->crew->workers[at];
    const struct cx_task *task = &work->tasks[at];
    uint64_t number = task->numbers[0];
    enum cx_status status = CX_OK;
    struct cx_record record = {0};
    if (answer == CX_ANSWER_TIMEOUT) {
        status = timeout_take(explore, at, &record, error);
    } else if (task->kind == CX_TASK_RUN) {
        int verified = cx_explore_controlled(explore) && (number <= 1 || explore->options->verify);
        status = cx_record_take(&record, worker, verified, error);
    }
    const struct cx_result *result = record.detailed ? record.result : cx_worker_result(worker);
    if (status == CX_OK && run_killed(work, result)) {
        cx_explore_say(explore, "a run was killed from outside (SIGKILL); it is played again");
        task_repeat(work, task);
    } else if (status == CX_OK && task->kind == CX_TASK_REPLAY && cx_confirm_repeat(&work->confirm, result)) {
        cx_explore_say(explore, "a replay did not end within its real-time limit; it is played again");
        task_repeat(work, task);
    } else if (status == CX_OK && task->kind == CX_TASK_REPLAY) {
        cx_confirm_replay(&work->confirm, result, explore->resolver);
        explore->totals.replays++;
    } else if (status == CX_OK) {
        cx_batch_alone(explore, task, result);
        cx_explore_keep(work, number, &record);
        return CX_OK;
    }
    cx_record_fini(&record);
    return status;
}

// Take what a worker brought back.
static enum cx_status task_end(struct cx_explore *explore, uint32_t at, enum cx_answer answer, struct cx_error *error)
{
    struct cx_explore_work *work = explore->work;
    const struct cx_task *task = &work->tasks[at];
    enum cx_status status;
    if (task->kind != CX_TASK_BATCH && task->kind != CX_TASK_PROBE) {
        status = run_end(explore, at, answer, error);
    } else if (answer == CX_ANSWER_TIMEOUT) {
        task_repeat(work, task);
        cx_batch_give_up(explore, "its process did not come back in time");
        status = cx_worker_restart(explore->crew->workers[at], error);
    } else {
        status = cx_batch_end(explore, task, explore->crew->workers[at], error);
    }
    work->tasks[at].kind = CX_TASK_NONE;
    return status;
}

static enum cx_status answers_collect(struct cx_explore *explore, struct cx_error *error)
{
    for (uint32_t i = 0; i < explore->crew->count; i++) {
        struct cx_error reason = {0};
        enum cx_status status = CX_OK;
        enum cx_answer answer = cx_worker_answer(explore->crew->workers[i], &reason);
        if (answer == CX_ANSWER_LOST) {
            status = worker_replace(explore, i, reason.text, error);
        } else if (answer != CX_ANSWER_NONE) {
            status = task_end(explore, i, answer, error);
        }
        if (status != CX_OK) {
            return status;
        }
    }
    return CX_OK;
}

static enum cx_status explore_loop(struct cx_explore *explore, struct cx_error *error)
{
    struct cx_explore_work *work = explore->work;
    enum cx_status status = CX_OK;
    while (status == CX_OK) {
        status = tasks_deal(explore, error);
        // A probe is no run of its own: nothing else waits for it, and the worker belongs to the next scenario.
        int over = work->next_judge >= work->runs_end && !work->confirm.active;
        if (status != CX_OK || (over && work->batching != CX_BATCHING_PROBES)) {
            break;
        }
        // A wake-up every quarter of a second keeps the live line alive.
        uint64_t tick_ns = cx_clock_ns() + CX_NS_PER_S / 4;
        status = cx_worker_wait(explore->crew->workers, explore->crew->count, tick_ns, error);
        if (status == CX_OK) {
            status = answers_collect(explore, error);
        }
        cx_explore_judge(explore);
        if (status == CX_OK) {
            status = explore->observer->tick(explore->observer->context, explore, error);
        }
    }
    if (work->confirm.active) {
        cx_explore_confirm_end(explore, 1);
    }
    return status;
}

enum cx_status cx_explore_run(struct cx_explore *explore, struct cx_error *error)
{
    const struct cx_explore_options *options = explore->options;
    const struct cx_deal_options deal = {
        .strategy = options->strategy,
        .pct_depth = options->pct_depth,
        .preemptions_max = options->preemptions_max,
        .seed = cx_seed_of_run(options->seed, options->scenario, options->strategy, CX_RUN_DEFAULT),
        .run_first = options->run_first,
    };
    explore->work = calloc(1, sizeof(*explore->work));
    struct cx_explore_work *work = explore->work;
    if (work != NULL) {
        work->deal = cx_deal_new(&deal);
    }
    if (work == NULL || work->deal == NULL) {
        free(work);
        explore->work = NULL;
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    explore->start_ns = cx_clock_ns();
    uint64_t runs_max = options->runs_max;
    work->runs_end = runs_max > UINT64_MAX - 2 ? UINT64_MAX - 1 : runs_max + 1;
    if (!cx_explore_controlled(explore)) {
        work->next_deal = work->next_judge = 1; // no default order
    }
    work->batching = options->in_process ? CX_BATCHING_WAITS : CX_BATCHING_OFF;
    enum cx_status status = explore_loop(explore, error);
    for (uint32_t i = 0; i < CX_SLOTS_COUNT; i++) {
        cx_record_fini(&work->slots[i].record);
    }
    cx_deal_text(work->deal, explore->totals.shown, sizeof(explore->totals.shown));
    cx_deal_free(work->deal);
    free(work);
    explore->work = NULL;
    return status;
}

void cx_explore_fini(struct cx_explore *explore)
{
    cx_findings_fini(&explore->findings);
    cx_set_fini(&explore->totals.interleavings);
}
