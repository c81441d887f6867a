// SPDX-License-Identifier: Apache-2.0
//
// explore_work: what an exploration holds while it goes on. Private to explore.c (deals and collects), explore_judge.c
// (judges) and batch.c (several runs in one process).
#ifndef CX_EXEC_EXPLORE_WORK_H
#define CX_EXEC_EXPLORE_WORK_H

#include <stdint.h>

#include "harness/exec/confirm.h"
#include "harness/exec/deal.h"
#include "harness/exec/explore.h"

#define CX_SLOTS_COUNT 512u
#define CX_PROBE_RUNS 8u // that are played both ways, before any is played in a batch alone

enum cx_task_kind { CX_TASK_NONE = 0, CX_TASK_RUN, CX_TASK_REPLAY, CX_TASK_BATCH, CX_TASK_PROBE };

// What a worker does.
struct cx_task {
    enum cx_task_kind kind;
    uint32_t count; // runs of a batch; else 1
    uint64_t numbers[CX_BATCH_MAX];
    uint32_t failed; // a run whose batch ended so: enum cx_outcome; CX_OUTCOME_PASS: not that
};

// A run to be played again.
struct cx_repeat {
    uint64_t number;
    int alone;       // 1: not in a batch
    uint32_t failed; // as in cx_task
};

enum cx_batching_phase {
    CX_BATCHING_OFF = 0,
    CX_BATCHING_WAITS,  // until the first runs are judged
    CX_BATCHING_PROBES, // they are played once more, in one process
    CX_BATCHING_ON,
};

struct cx_slot {
    int ready;
    struct cx_record record;
};

struct cx_explore_work {
    struct cx_task tasks[CX_WORKERS_MAX];
    struct cx_repeat again[CX_SLOTS_COUNT + CX_WORKERS_MAX];
    uint32_t again_count;
    uint64_t next_deal;
    uint64_t next_judge;
    uint64_t runs_end; // first internal number that is not to be played
    uint32_t restarts;
    int enough; // findings_max is reached: what is still being played does not count
    enum cx_batching_phase batching;
    struct {
        uint64_t fingerprint;
        uint64_t steps;
        uint32_t outcome;
    } probe[CX_PROBE_RUNS]; // what came of the first runs
    uint64_t batched;       // runs that passed in batches,
    uint64_t batches_ended; // and batches that a failing run ended
    struct cx_deal *deal;
    struct cx_slot slots[CX_SLOTS_COUNT];
    struct cx_confirm confirm;
    struct cx_symptoms symptoms;
};

static inline int cx_explore_controlled(const struct cx_explore *explore)
{
    return explore->options->strategy != CX_STRATEGY_NATIVE;
}

// The campaign's number of a run, and its seed.
uint64_t cx_explore_run_of(const struct cx_explore *explore, uint64_t number);
uint64_t cx_explore_seed_of(const struct cx_explore *explore, uint64_t number);
void cx_explore_say(const struct cx_explore *explore, const char *text);
// Put a run back among those to be dealt.
void cx_explore_repeat(struct cx_explore_work *work, uint64_t number, int alone, uint32_t failed);
// Fill in a request for run `number`; its plan has room from `plan` on.
void cx_explore_request(const struct cx_explore *explore, uint64_t number, struct cx_request *request,
                        struct cx_deviation *plan);
// The record of run `number` has come.
void cx_explore_keep(struct cx_explore_work *work, uint64_t number, const struct cx_record *record);

// ---- explore_judge.c ----

// Judge all that can be judged, in order.
void cx_explore_judge(struct cx_explore *explore);
// The replays of the run under judgement are done, or cannot be: give its new findings their status.
void cx_explore_confirm_end(struct cx_explore *explore, int interrupted);

// ---- batch.c ----

// More runs beside the one that `task` holds, which are to be played after it in its process; its kind becomes
// CX_TASK_BATCH if there are any.
void cx_batch_fill(struct cx_explore *explore, struct cx_task *task, uint64_t ahead_max);
// 1 if the probe is due: `task` is it.
int cx_batch_probe(struct cx_explore_work *work, struct cx_task *task);
// Hand the runs of a task to its worker.
void cx_batch_request(const struct cx_explore *explore, const struct cx_task *task, struct cx_worker *worker);
// Take what a worker brought back of them.
enum cx_status cx_batch_end(struct cx_explore *explore, const struct cx_task *task, const struct cx_worker *worker,
                            struct cx_error *error);
// A run that ended a batch with a failure has been played in a process of its own.
void cx_batch_alone(struct cx_explore *explore, const struct cx_task *task, const struct cx_result *result);
// From now on every run has a process of its own, for this reason.
void cx_batch_give_up(struct cx_explore *explore, const char *reason);

#endif
