// SPDX-License-Identifier: Apache-2.0
//
// Runs that one process plays one after the other are step by step those that processes of their own play: for every
// program of the corpus, the step logs, which hold addresses, have the same sums.
//
//     test_batch RUNNER     of plain-corpus
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "harness/exec/worker.h"

#define SEEDS 8

static const char *runner_path;
static const uint32_t strategies[] = {CX_STRATEGY_RANDOM, CX_STRATEGY_PCT,  CX_STRATEGY_POS,
                                      CX_STRATEGY_URW,    CX_STRATEGY_SURW, CX_STRATEGY_DELAY};
#define STRATEGIES (sizeof(strategies) / sizeof(strategies[0]))
#define RUNS (SEEDS * STRATEGIES)

struct played {
    uint32_t outcome;
    uint64_t log_hash;
    uint64_t steps;
    uint64_t fingerprint;
    uint64_t choices;
    uint64_t switches;
    uint64_t coverage[CX_COVERAGE_WORDS];
};

static void request_fill(struct cx_request *request, uint32_t scenario, uint32_t run)
{
    request->scenario = scenario;
    request->strategy = strategies[run % STRATEGIES];
    request->mode = CX_MODE_LOG;
    request->seed = 1000 + run;
    request->pct_depth = 3;
    request->choices_expected = 40;
    request->rules.early_ns_max = CX_EARLY_NS_DEFAULT;
}

static void play(struct cx_worker *worker)
{
    struct cx_error error = {0};
    if (cx_worker_play(worker, &error) != CX_OK) {
        fail_msg("%s", error.text);
    }
}

static struct played last_of(const struct cx_worker *worker)
{
    const struct cx_result *result = cx_worker_result(worker);
    struct played played = {.outcome = result->outcome,
                            .log_hash = result->log_hash,
                            .steps = result->steps,
                            .fingerprint = result->fingerprint,
                            .choices = result->choices,
                            .switches = result->switches};
    memcpy(played.coverage, result->coverage, sizeof(played.coverage));
    return played;
}

static struct played batched(const struct cx_batch_run *run)
{
    struct played played = {.outcome = CX_OUTCOME_PASS,
                            .log_hash = run->log_hash,
                            .steps = run->steps,
                            .fingerprint = run->fingerprint,
                            .choices = run->choices,
                            .switches = run->switches};
    memcpy(played.coverage, run->coverage, sizeof(played.coverage));
    return played;
}

static void compare(const char *scenario, uint32_t run, const struct played *alone, const struct played *together)
{
    if (memcmp(alone, together, sizeof(*alone)) != 0) {
        fail_msg("%s, run %u: alone outcome %u, %llu steps, log %016llx; in a batch %u, %llu, %016llx", scenario, run,
                 alone->outcome, (unsigned long long)alone->steps, (unsigned long long)alone->log_hash,
                 together->outcome, (unsigned long long)together->steps, (unsigned long long)together->log_hash);
    }
}

// The runs from `first` on as one batch; returns how many were played.
static uint32_t batch_play(struct cx_worker *worker, uint32_t scenario, uint32_t first, const struct played *alone)
{
    const char *name = cx_worker_scenarios(worker, &(uint32_t){0})[scenario].name;
    struct cx_request *base = cx_worker_request(worker);
    struct cx_batch *batch = cx_worker_batch(worker);
    batch->count = (uint32_t)RUNS - first;
    for (uint32_t i = 0; i < batch->count; i++) {
        cx_request_copy(&batch->requests[i], base);
        request_fill(&batch->requests[i], scenario, first + i);
    }
    cx_request_copy(base, &batch->requests[0]);
    play(worker);
    assert_string_equal(batch->unfit, "");
    for (uint32_t i = 0; i < batch->done; i++) {
        const struct played together = batched(&batch->runs[i]);
        compare(name, first + i, &alone[first + i], &together);
    }
    const struct played together = last_of(worker);
    compare(name, first + batch->done, &alone[first + batch->done], &together);
    return batch->done + 1;
}

static void test_a_batch_is_its_runs_alone(void **state)
{
    (void)state;
    static struct played alone[RUNS];
    struct cx_worker *worker = NULL;
    struct cx_error error = {0};
    if (cx_worker_new(&worker, runner_path, NULL, -1, &error) != CX_OK) {
        fail_msg("%s", error.text);
    }
    uint32_t count = 0;
    uint32_t passed = 0;
    cx_worker_scenarios(worker, &count);
    assert_true(count > 0);
    for (uint32_t scenario = 0; scenario < count; scenario++) {
        for (uint32_t run = 0; run < RUNS; run++) {
            request_fill(cx_worker_request(worker), scenario, run);
            play(worker);
            alone[run] = last_of(worker);
            passed += alone[run].outcome == CX_OUTCOME_PASS;
        }
        for (uint32_t first = 0; first < RUNS;) {
            first += batch_play(worker, scenario, first, alone);
        }
    }
    assert_true(passed > count * RUNS / 2);
    cx_worker_free(worker);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_batch_is_its_runs_alone)};
    runner_path = argc > 1 ? argv[1] : "";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
