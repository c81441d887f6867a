// SPDX-License-Identifier: Apache-2.0
//
// sched_case: run a function under the scheduler in a child process, and look at what came of it.
//
//     struct cx_request request = {.strategy = CX_STRATEGY_RANDOM, .seed = 7};
//     const struct cx_result *result = sched_run(body, &request);
//     assert_int_equal(result->outcome, CX_OUTCOME_DEADLOCK);
#ifndef CX_SCHED_CASE_H
#define CX_SCHED_CASE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/exec/channel.h"

// The channel of the last run: its deviations, to be handed on as a plan. Borrowed.
struct cx_channel *sched_channel(void);

// Run `body` as the main thread of a controlled run. Zeroes in `request` get defaults (steps 2 000 000, 120 s of real
// time: a limit for hangs, which nothing else comes near). The result is borrowed, valid until the next call. A body
// that returns means CX_OUTCOME_PASS.
const struct cx_result *sched_run(void (*body)(void), const struct cx_request *request);

// Run `body` under the default order: no deviation.
const struct cx_result *sched_run_default(void (*body)(void));

// Replay the last run, strictly. The plan is what the last run recorded.
const struct cx_result *sched_replay(void (*body)(void), uint32_t mode);

// How many of `runs` seeds under `strategy` end in each outcome.
struct sched_counts {
    uint32_t of[CX_OUTCOME_COUNT];
};
struct sched_counts sched_explore(void (*body)(void), uint32_t strategy, uint32_t runs);

// Inside a body: end the run as an invariant finding unless `condition` holds.
void sched_check(int condition, const char *text);
#define SCHED_CHECK(condition) sched_check((condition) != 0, #condition)

// Explore seeds 1, 2, ... under `strategy` until a run ends in `outcome`; fails the test when `runs` seeds do not do.
const struct cx_result *sched_find(void (*body)(void), uint32_t strategy, enum cx_outcome outcome, uint32_t runs);

// Inside a body: pthread_create and pthread_join that must succeed.
pthread_t sched_spawn(void *(*body)(void *), void *argument);
void *sched_join(pthread_t thread);

// Inside a body: sigaction that must succeed.
void sched_handle(int number, void (*handler)(int), int flags);

// A word in shared memory that bodies may write for the test to read; zeroed before each run.
uint64_t *sched_note(uint32_t index);

#endif
