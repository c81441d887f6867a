// SPDX-License-Identifier: Apache-2.0
//
// drive: see drive.h. One input at a time, one runner.
#include "fuzz/common/drive.h"

#include "fuzz/common/finding.h"
#include "fuzz/common/input.h"
#include "harness/exec/crew.h"
#include "harness/exec/targets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TARGET_DEFAULT "3.14.7-ft-debug"
#define RESTARTS_MAX 20
#define LENGTHS 4096 // that are remembered

// Read by the engine alone: without `used` the compiler leaves out what is written to them.
#define EXTRA_COUNTERS __attribute__((section("__libfuzzer_extra_counters"), used)) static uint8_t
EXTRA_COUNTERS pairs[64 * CX_COVERAGE_WORDS];
EXTRA_COUNTERS edges[CX_EDGES_MAX];

static struct {
    const char *target;
    struct cx_crew crew;
    uint32_t restarts;
    int blind;
    struct length {
        uint64_t of; // what such a run is like
        uint64_t choices;
        uint64_t points;
    } lengths[LENGTHS];
} drive;

static int is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0';
}

__attribute__((noreturn)) static void die(const struct cx_error *error)
{
    fprintf(stderr, "fuzz: %s\n", error->text);
    fuzz_finding_end();
    cx_crew_fini(&drive.crew);
    _exit(3); // no finding, and nothing for the engine to keep
}

// Where the runners are, unless somebody says it: beside this program, or where the build has them.
static void runners_find(void)
{
    static const char *const places[] = {"runners", "../runners"};
    char path[PATH_MAX + 20];
    for (size_t i = 0; i < 2 && !is_set("CONSTRICTOR_RUNNERS"); i++) {
        snprintf(path, sizeof(path), "%s/%s", cx_targets_build_dir(), places[i]);
        if (access(path, R_OK | X_OK) == 0) {
            setenv("CONSTRICTOR_RUNNERS", path, 1);
        }
    }
}

static struct cx_worker *worker(void)
{
    struct cx_error error = {0};
    if (drive.crew.count == 0) {
        drive.target = is_set("CONSTRICTOR_FUZZ_TARGET") ? getenv("CONSTRICTOR_FUZZ_TARGET") : TARGET_DEFAULT;
        drive.blind = is_set("CONSTRICTOR_FUZZ_BLIND");
        runners_find();
        if (cx_crew_start(&drive.crew, drive.target, NULL, 1, 1, &error) != CX_OK ||
            fuzz_finding_begin(drive.crew.workers[0], drive.target, &error) != CX_OK) {
            die(&error);
        }
    }
    return drive.crew.workers[0];
}

uint32_t fuzz_drive_scenario(const char *name)
{
    int32_t index = cx_worker_scenario_find(worker(), name);
    FUZZ_CHECK(index >= 0);
    return (uint32_t)index;
}

static int can_be_drawn(const struct cx_scenario_info *info)
{
    return info->applicable && strncmp(info->name, "fuzz/", 5) != 0 && strncmp(info->name, "canary/", 7) != 0;
}

uint32_t fuzz_drive_count(void)
{
    uint32_t count = 0;
    uint32_t drawn = 0;
    const struct cx_scenario_info *infos = cx_worker_scenarios(worker(), &count);
    for (uint32_t i = 0; i < count; i++) {
        drawn += (uint32_t)can_be_drawn(&infos[i]);
    }
    return drawn;
}

uint32_t fuzz_drive_nth(uint32_t n)
{
    uint32_t count = 0;
    const struct cx_scenario_info *infos = cx_worker_scenarios(worker(), &count);
    for (uint32_t i = 0; i < count; i++) {
        if (can_be_drawn(&infos[i]) && n-- == 0) {
            return i;
        }
    }
    return 0;
}

// What the run has reached. Only targets under AddressSanitizer count edges.
static void counters_fill(void)
{
    const struct cx_channel *channel = cx_worker_channel(worker());
    if (drive.blind) {
        return;
    }
    for (uint32_t bit = 0; bit < sizeof(pairs); bit++) {
        pairs[bit] |= (uint8_t)(channel->result.coverage[bit / 64] >> (bit % 64) & 1);
    }
    if (channel->identity.asan) {
        memcpy(edges, channel->edges, sizeof(edges));
    }
}

static void request_fill(const struct fuzz_run *run, const struct length *length)
{
    struct cx_request *request = cx_worker_request(worker());
    request->scenario = run->scenario;
    request->strategy = run->strategy;
    request->pct_depth = run->pct_depth;
    request->seed = run->seed;
    request->given = run->given;
    request->rules.early_ns_max = CX_EARLY_NS_DEFAULT;
    request->choices_expected = length != NULL ? length->choices : 0;
    request->points_expected = length != NULL ? length->points : 0;
    request->plan_count = run->plan_count;
    if (run->plan_count > 0) {
        memcpy(cx_worker_plan(worker()), run->plan, run->plan_count * sizeof(*run->plan));
    }
}

static void play(const struct fuzz_run *run, const struct length *length)
{
    struct cx_error error = {0};
    enum cx_status status = CX_ERR_RUNNER;
    request_fill(run, length);
    while ((status = cx_worker_play(worker(), &error)) == CX_ERR_RUNNER && drive.restarts++ < RESTARTS_MAX) {
        if (cx_worker_restart(worker(), &error) != CX_OK) {
            die(&error);
        }
        request_fill(run, length);
    }
    if (status != CX_OK) {
        die(&error);
    }
}

// How long such a run is, from one in the default order: an input must mean the same in every process, whatever that
// has played before. It is not this input, so that nobody judges it.
static const struct length *length_of(const struct fuzz_run *run)
{
    struct length *length = &drive.lengths[run->like % LENGTHS];
    if (length->of != run->like || length->choices == 0) {
        struct fuzz_run plain = *run;
        plain.strategy = CX_STRATEGY_REPLAY;
        plain.plan_count = run->plan_picks;
        play(&plain, NULL);
        const struct cx_result *result = cx_worker_result(worker());
        *length = (struct length){run->like, result->choices, result->points_max};
    }
    return length;
}

void fuzz_drive(const struct fuzz_run *run)
{
    int drawn = run->strategy != CX_STRATEGY_REPLAY && run->strategy != CX_STRATEGY_POS;
    play(run, drawn ? length_of(run) : NULL);
    counters_fill();
    if (fuzz_finding_judge(run) && !is_set("CONSTRICTOR_FUZZ_GO_ON")) {
        fuzz_finding_end();
        cx_crew_fini(&drive.crew);
        abort();
    }
}
