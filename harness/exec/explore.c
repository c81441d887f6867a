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
#include "harness/exec/confirm.h"
#include "harness/exec/deal.h"
#include "harness/exec/interrupt.h"
#include "harness/exec/seed.h"
#include "harness/scenario.h"

#define CX_SLOTS_COUNT 512u
#define CX_AHEAD_PER_WORKER 6u // runs that a worker may be ahead of the judging
#define CX_RESTARTS_MAX 3u

enum task_kind { TASK_NONE = 0, TASK_RUN, TASK_REPLAY };

struct slot {
    int ready;
    struct cx_record record;
};

struct cx_explore_work {
    enum task_kind tasks[CX_WORKERS_MAX];
    uint64_t task_runs[CX_WORKERS_MAX];
    uint64_t again[CX_WORKERS_MAX]; // runs whose runner was lost, to be dealt again
    uint32_t again_count;
    uint64_t next_deal;
    uint64_t next_judge;
    uint64_t runs_end; // first internal number that is not to be played
    uint32_t restarts;
    int enough; // findings_max is reached: what is still being played does not count
    struct cx_deal *deal;
    struct slot slots[CX_SLOTS_COUNT];
    struct cx_confirm confirm;
    struct cx_symptoms symptoms;
};

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

static int controlled(const struct cx_explore *explore)
{
    return explore->options->strategy != CX_STRATEGY_NATIVE;
}

static uint64_t campaign_run(const struct cx_explore *explore, uint64_t number)
{
    return number == 0 ? CX_RUN_DEFAULT : explore->options->run_first + number - 1;
}

static uint64_t run_seed(const struct cx_explore *explore, uint64_t number)
{
    const struct cx_explore_options *options = explore->options;
    return cx_seed_of_run(options->seed, options->scenario, options->strategy, campaign_run(explore, number));
}

static void observe_message(const struct cx_explore *explore, const char *text)
{
    explore->observer->message(explore->observer->context, text);
}

static int time_left(const struct cx_explore *explore)
{
    const struct cx_explore_options *options = explore->options;
    if (explore->work->next_deal <= options->runs_floor) {
        return 1;
    }
    int cpu_left = options->cpu_ns_max == 0 || explore->totals.cpu_ns < options->cpu_ns_max;
    return cpu_left && (options->deadline_ns == CX_NO_DEADLINE || cx_clock_ns() < options->deadline_ns);
}

static enum cx_status task_begin(struct cx_explore *explore, uint32_t at, enum task_kind kind, uint64_t number,
                                 struct cx_error *error)
{
    struct cx_explore_work *work = explore->work;
    struct cx_worker *worker = explore->crew->workers[at];
    struct cx_request *request = cx_worker_request(worker);
    request->scenario = explore->scenario;
    request->wall_ms_max = explore->options->wall_ms_max;
    request->steps_max = explore->options->steps_max;
    request->rules = explore->options->rules;
    request->points = *explore->options->points;
    if (kind == TASK_REPLAY) {
        cx_confirm_request(work->confirm.record, request, cx_worker_plan(worker));
    } else {
        cx_deal_request(work->deal, number, run_seed(explore, number), request, cx_worker_plan(worker));
    }
    work->tasks[at] = kind;
    work->task_runs[at] = number;
    return cx_worker_begin(worker, error);
}

// The next thing for an idle worker to do, or TASK_NONE.
static enum task_kind task_next(struct cx_explore *explore, uint64_t *number)
{
    struct cx_explore_work *work = explore->work;
    if (work->confirm.active && work->confirm.started < work->confirm.wanted) {
        work->confirm.started++;
        *number = work->next_judge;
        return TASK_REPLAY;
    }
    if (work->again_count > 0) {
        *number = work->again[--work->again_count];
        return TASK_RUN;
    }
    if (cx_deal_over(work->deal)) {
        work->runs_end = work->next_deal;
    }
    uint64_t ahead_max = (uint64_t)CX_AHEAD_PER_WORKER * explore->crew->count + 2;
    if (!cx_deal_ready(work->deal, work->next_deal) || work->next_deal >= work->runs_end ||
        work->next_deal - work->next_judge >= ahead_max) {
        return TASK_NONE;
    }
    if (work->next_deal > 0 && !time_left(explore)) {
        work->runs_end = work->next_deal;
        return TASK_NONE;
    }
    *number = work->next_deal++;
    return TASK_RUN;
}

static enum cx_status tasks_deal(struct cx_explore *explore, struct cx_error *error)
{
    for (uint32_t i = 0; i < explore->crew->count; i++) {
        if (cx_worker_busy(explore->crew->workers[i])) {
            continue;
        }
        uint64_t number = 0;
        enum task_kind kind = task_next(explore, &number);
        if (kind == TASK_NONE) {
            break;
        }
        enum cx_status status = task_begin(explore, i, kind, number, error);
        if (status != CX_OK) {
            return status;
        }
    }
    return CX_OK;
}

// Put the task of a worker back among those to be dealt.
static void task_repeat(struct cx_explore_work *work, uint32_t at)
{
    if (work->tasks[at] == TASK_REPLAY) {
        work->confirm.started--;
    } else {
        work->again[work->again_count++] = work->task_runs[at];
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
    observe_message(explore, line);
    enum cx_status status = cx_worker_restart(explore->crew->workers[at], error);
    if (status != CX_OK) {
        return status;
    }
    task_repeat(work, at);
    work->tasks[at] = TASK_NONE;
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

// Take what a worker brought back.
static enum cx_status task_end(struct cx_explore *explore, uint32_t at, enum cx_answer answer, struct cx_error *error)
{
    struct cx_explore_work *work = explore->work;
    struct cx_worker *worker = explore->crew->workers[at];
    uint64_t number = work->task_runs[at];
    enum cx_status status = CX_OK;
    struct cx_record record = {0};
    if (answer == CX_ANSWER_TIMEOUT) {
        status = timeout_take(explore, at, &record, error);
    } else if (work->tasks[at] == TASK_RUN) {
        int verified = controlled(explore) && (number <= 1 || explore->options->verify);
        status = cx_record_take(&record, worker, verified, error);
    }
    const struct cx_result *result = record.detailed ? record.result : cx_worker_result(worker);
    if (status == CX_OK && run_killed(work, result)) {
        observe_message(explore, "a run was killed from outside (SIGKILL); it is played again");
        task_repeat(work, at);
        cx_record_fini(&record);
    } else if (status == CX_OK && work->tasks[at] == TASK_REPLAY) {
        cx_confirm_replay(&work->confirm, result, explore->resolver);
        explore->totals.replays++;
        cx_record_fini(&record);
    } else if (status == CX_OK) {
        struct slot *slot = &work->slots[number % CX_SLOTS_COUNT];
        slot->record = record;
        slot->record.dealt = cx_deal_strategy(work->deal, number);
        slot->ready = 1;
    } else {
        cx_record_fini(&record);
    }
    work->tasks[at] = TASK_NONE;
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

static void finding_settle(struct cx_explore *explore, struct cx_finding *finding, const struct cx_record *record)
{
    enum cx_outcome seen = finding->status == CX_FINDING_DIVERGED ? CX_OUTCOME_DIVERGED : finding->kind;
    // A canary of divergence fails in its own way when nobody replays it.
    int native = finding->status == CX_FINDING_NATIVE && explore->expected == CX_OUTCOME_DIVERGED;
    finding->expected = explore->expected != CX_OUTCOME_PASS && (seen == explore->expected || native);
    const regex_t *stop_at = explore->options->stop_at;
    explore->totals.stopped |= stop_at != NULL && finding->status == CX_FINDING_CONFIRMED &&
                               regexec(stop_at, finding->signature.text, 0, NULL, 0) == 0;
    explore->observer->finding(explore->observer->context, explore, finding, record);
}

static struct cx_finding *finding_new(struct cx_explore *explore, const struct cx_signature *signature,
                                      enum cx_outcome kind, uint32_t race, uint64_t number)
{
    struct cx_finding *finding = cx_findings_add(&explore->findings, signature);
    finding->kind = kind;
    finding->race = race;
    finding->run = campaign_run(explore, number);
    finding->seed = run_seed(explore, number);
    return finding;
}

// The run under judgement was slow, and its only finding was that: say it, and forget the finding.
static void slow_end(struct cx_explore *explore)
{
    struct cx_confirm *confirm = &explore->work->confirm;
    const struct cx_finding *finding = confirm->fresh[0];
    char run[40] = "the run in the default order", line[300];
    if (finding->run != CX_RUN_DEFAULT) {
        snprintf(run, sizeof(run), "run %" PRIu64, finding->run);
        explore->totals.runs_failing--;
    }
    snprintf(line, sizeof(line),
             "%s: %s did not end within its real-time limit, but %u replays of its schedule passed: it was slow, which "
             "is no finding; --wall-max gives more time",
             explore->options->scenario, run, confirm->passed);
    observe_message(explore, line);
    explore->totals.runs_slow++;
    cx_findings_drop(&explore->findings);
    memset(confirm, 0, sizeof(*confirm));
}

// Who ends a command may end all its processes: a batch system, a service manager. What became of such a run is no
// finding. A program that ends itself in this way is another matter: its replays do so, too.
static int ended_with_us(const struct cx_record *record)
{
    int status = record->result != NULL ? record->result->wait_status : 0;
    return WIFSIGNALED(status) && (WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGINT) && cx_interrupted();
}

// The replays of the run under judgement are done, or cannot be: give its new findings their status.
static void confirm_end(struct cx_explore *explore, int interrupted)
{
    struct cx_explore_work *work = explore->work;
    struct cx_confirm *confirm = &work->confirm;
    if (cx_confirm_slow(confirm)) {
        slow_end(explore);
        return;
    }
    int forget = interrupted && ended_with_us(confirm->record);
    explore->totals.runs_failing -= forget && confirm->run > 0;
    for (uint32_t i = 0; i < confirm->fresh_count; i++) {
        struct cx_finding *finding = confirm->fresh[i];
        if (forget) {
            cx_findings_drop(&explore->findings); // they came last
            continue;
        }
        if (interrupted) {
            finding->status = CX_FINDING_UNCONFIRMED;
        } else {
            finding->status = finding->confirmed == CX_CONFIRMATIONS ? CX_FINDING_CONFIRMED : CX_FINDING_DIVERGED;
        }
        finding_settle(explore, finding, confirm->record);
    }
    int differs = confirm->pass_verify && confirm->divergence[0] != '\0' && !interrupted;
    char text[700];
    if (differs && cx_confirm_outside(confirm, text, sizeof(text))) {
        observe_message(explore, text);
    } else if (differs) {
        struct cx_signature signature;
        cx_signature_make(&signature, "divergence of a passing run");
        struct cx_finding *finding = cx_findings_get(&explore->findings, signature.id);
        if (finding == NULL) {
            finding = finding_new(explore, &signature, CX_OUTCOME_DIVERGED, CX_RACE_NONE, work->next_judge);
            finding->status = CX_FINDING_DIVERGED;
            finding->replays = confirm->done;
            snprintf(finding->divergence, sizeof(finding->divergence), "%s", confirm->divergence);
            finding->count = 1;
            finding_settle(explore, finding, confirm->record);
        } else {
            finding->count++;
        }
    }
    memset(confirm, 0, sizeof(*confirm));
}

// Look at the oldest run that is not judged. Starts its replays if it needs some.
static void run_judge(struct cx_explore *explore, struct cx_record *record)
{
    struct cx_explore_work *work = explore->work;
    struct cx_confirm *confirm = &work->confirm;
    uint64_t number = work->next_judge;
    work->symptoms.count = 0;
    if (record->detailed) {
        cx_symptoms_find(record->result, explore->resolver, &work->symptoms);
    }
    cx_totals_add(&explore->totals, record, number == 0, work->symptoms.count > 0, controlled(explore));
    confirm->record = record;
    confirm->run = number;
    for (uint32_t i = 0; i < work->symptoms.count; i++) {
        const struct cx_symptom *symptom = &work->symptoms.list[i];
        struct cx_finding *finding = cx_findings_get(&explore->findings, symptom->signature.id);
        if (finding == NULL) {
            finding = finding_new(explore, &symptom->signature, symptom->kind, symptom->race, number);
            confirm->fresh[confirm->fresh_count++] = finding;
        }
        finding->count++;
    }
    cx_deal_judge(work->deal, number, record, confirm->fresh_count);
    int replayable = record->detailed && controlled(explore) && !record->result->deviations_dropped;
    int verify = replayable && (number <= 1 || explore->options->verify) && record->outcome == CX_OUTCOME_PASS;
    confirm->pass_verify = verify && work->symptoms.count == 0;
    if (replayable && (confirm->fresh_count > 0 || confirm->pass_verify)) {
        confirm->active = 1;
        confirm->wanted = confirm->fresh_count > 0 ? CX_CONFIRMATIONS : 1;
        return;
    }
    for (uint32_t i = 0; i < confirm->fresh_count; i++) {
        confirm->fresh[i]->status = controlled(explore) ? CX_FINDING_UNREPLAYABLE : CX_FINDING_NATIVE;
        finding_settle(explore, confirm->fresh[i], record);
    }
    memset(confirm, 0, sizeof(*confirm));
}

// Judge all that can be judged, in order.
static void runs_judge(struct cx_explore *explore)
{
    struct cx_explore_work *work = explore->work;
    for (;;) {
        struct slot *slot = &work->slots[work->next_judge % CX_SLOTS_COUNT];
        if (!slot->ready) {
            return;
        }
        if (work->confirm.active) {
            if (work->confirm.done < work->confirm.wanted) {
                return;
            }
            confirm_end(explore, 0);
        } else if (!work->enough && !ended_with_us(&slot->record)) {
            run_judge(explore, &slot->record);
            if (work->confirm.active) {
                return;
            }
        }
        cx_record_fini(&slot->record);
        slot->ready = 0;
        work->next_judge++;
        uint64_t wanted = explore->options->findings_max;
        if ((wanted > 0 && explore->findings.count >= wanted) || explore->totals.stopped) {
            work->enough = 1;
            work->runs_end = work->next_deal;
        }
    }
}

static enum cx_status explore_loop(struct cx_explore *explore, struct cx_error *error)
{
    struct cx_explore_work *work = explore->work;
    enum cx_status status = CX_OK;
    while (status == CX_OK) {
        status = tasks_deal(explore, error);
        if (status != CX_OK || (work->next_judge >= work->runs_end && !work->confirm.active)) {
            break;
        }
        // A wake-up every quarter of a second keeps the live line alive.
        uint64_t tick_ns = cx_clock_ns() + CX_NS_PER_S / 4;
        status = cx_worker_wait(explore->crew->workers, explore->crew->count, tick_ns, error);
        if (status == CX_OK) {
            status = answers_collect(explore, error);
        }
        runs_judge(explore);
        explore->observer->tick(explore->observer->context, explore);
    }
    if (work->confirm.active) {
        confirm_end(explore, 1);
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
    if (!controlled(explore)) {
        work->next_deal = work->next_judge = 1; // no default order
    }
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
