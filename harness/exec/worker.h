// SPDX-License-Identifier: Apache-2.0
//
// worker: one runner process and the channel to it.
//
// It owns the files, the mapping, the process (in a process group of its own, so that Ctrl-C reaches the command
// alone) and the deadline of the run that is being played. It knows nothing of schedules, findings or campaigns. One
// request at a time:
//
//     struct cx_request *request = cx_worker_request(worker);   // zeroed; fill it in, and plan[]
//     cx_worker_begin(worker, &error);                          // hands the channel over
//     ... cx_worker_wait(&worker, 1, CX_NO_DEADLINE, &error) ...
//     switch (cx_worker_answer(worker, &error)) { ... }         // the channel is ours again
//
// What comes back is checked: the child that wrote it may have been shot in the middle, or have scribbled over it.
#ifndef CX_EXEC_WORKER_H
#define CX_EXEC_WORKER_H

#include <stddef.h>
#include <stdint.h>

#include "harness/exec/channel.h"
#include "harness/exec/subject.h"
#include "harness/status.h"

#define CX_WORKERS_MAX 64

struct cx_worker;

enum cx_answer {
    CX_ANSWER_NONE = 0, // not yet
    CX_ANSWER_DONE,     // the result is in the channel
    CX_ANSWER_LOST,     // the runner died; `error` says how. cx_worker_restart() or give up
    CX_ANSWER_TIMEOUT,  // the runner did not come back in time and was killed; cx_worker_restart() or give up
};

// Start the runner `path`, for its scenarios or for a `subject` (borrowed; NULL: none), pinned to `cpu` (-1: not
// pinned), and wait until it has said hello. The caller frees it with cx_worker_free(), which also ends the process;
// NULL is allowed there.
enum cx_status cx_worker_new(struct cx_worker **worker, const char *path, const struct cx_subject *subject, int32_t cpu,
                             struct cx_error *error);
void cx_worker_free(struct cx_worker *worker);

// A fresh process in the place of one that was lost. The identity must be the same as before.
enum cx_status cx_worker_restart(struct cx_worker *worker, struct cx_error *error);

// How often cx_worker_restart() was called.
uint32_t cx_worker_restarts(const struct cx_worker *worker);

// What the runner said about itself. Borrowed; private copies that no child can reach.
const struct cx_identity *cx_worker_identity(const struct cx_worker *worker);
const struct cx_scenario_info *cx_worker_scenarios(const struct cx_worker *worker, uint32_t *count);

// Index of the scenario with this name, or -1.
int32_t cx_worker_scenario_find(const struct cx_worker *worker, const char *name);

// The request of the next run, zeroed but for `cpu`; and room for CX_DEVIATIONS_MAX deviations. Borrowed.
// Requires: no run is being played.
struct cx_request *cx_worker_request(struct cx_worker *worker);
struct cx_deviation *cx_worker_plan(struct cx_worker *worker);
struct cx_told *cx_worker_told(struct cx_worker *worker);
// Room for several requests that one process is to play; cx_worker_request() empties it.
struct cx_batch *cx_worker_batch(struct cx_worker *worker);

// Hand the channel to the runner. A runner that is gone already is reported by cx_worker_answer().
enum cx_status cx_worker_begin(struct cx_worker *worker, struct cx_error *error);

// 1 while a run is being played.
int cx_worker_busy(const struct cx_worker *worker);

// Wait until some busy worker has something to say, a run's time is over, `deadline_ns` passes, or an interrupt comes,
// which the command's time limit is, too (CX_ERR_INTERRUPTED). Blocks: yes.
enum cx_status cx_worker_wait(struct cx_worker *const *workers, uint32_t count, uint64_t deadline_ns,
                              struct cx_error *error);

// What became of the run that is being played. Blocks: no.
enum cx_answer cx_worker_answer(struct cx_worker *worker, struct cx_error *error);

// Begin, wait, answer: one whole run. LOST and TIMEOUT become CX_ERR_RUNNER.
enum cx_status cx_worker_play(struct cx_worker *worker, struct cx_error *error);

// The result and the deviations of the last run, sane: counts in range, texts terminated. Borrowed, until the next run.
const struct cx_result *cx_worker_result(const struct cx_worker *worker);
const struct cx_deviation *cx_worker_deviations(const struct cx_worker *worker);
// All of the channel, for what the request asked for beside that. Borrowed, until the next run.
const struct cx_channel *cx_worker_channel(const struct cx_worker *worker);

// The last `text_bytes - 1` bytes that the run wrote to its standard output and error. Returns their number.
size_t cx_worker_output(const struct cx_worker *worker, char *text, size_t text_bytes);

// The step log of the last run with CX_MODE_LOG. The caller frees `*steps` with free().
enum cx_status cx_worker_log(const struct cx_worker *worker, struct cx_step **steps, size_t *steps_count,
                             struct cx_error *error);

#endif
