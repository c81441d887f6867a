// SPDX-License-Identifier: Apache-2.0
//
// drive: see drive.h. One input at a time; a runner for those that share a process, which the others would end, and one
// for the others.
#include "fuzz/common/drive.h"

#include "fuzz/common/finding.h"
#include "fuzz/common/input.h"
#include "harness/exec/crew.h"
#include "harness/exec/targets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TARGET_DEFAULT "3.14.7-ft-debug"
#define RESTARTS_MAX 20
#define LENGTHS 4096 // that are remembered
#define CHECKED 8    // runs that share a process are played in one of their own, too

// Read by the engine alone: without `used` the compiler leaves out what is written to them.
#define EXTRA_COUNTERS __attribute__((section("__libfuzzer_extra_counters"), used)) static uint8_t
EXTRA_COUNTERS pairs[64 * CX_COVERAGE_WORDS];
EXTRA_COUNTERS edges[CX_EDGES_MAX];

static struct {
    const char *target;
    struct cx_crew crews[2]; // for runs with a process of their own, and for those that share one
    struct cx_worker *last;  // of the last run
    uint32_t restarts;
    int blind;
    int alone;        // no run shares a process
    int both;         // all that do are played in one of their own, too
    uint64_t shared;  // runs that were to share one
    uint64_t played;  // inputs
    uint64_t checked; // of them, how many were played twice
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

static void crews_end(void)
{
    cx_crew_fini(&drive.crews[0]);
    cx_crew_fini(&drive.crews[1]);
}

__attribute__((noreturn)) static void die(const struct cx_error *error)
{
    fprintf(stderr, "fuzz: %s\n", error->text);
    fuzz_finding_end();
    crews_end();
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

// To compare with other ways to choose schedules (bench/fuzz-schedule).
static void stats_tell(void)
{
    const struct cx_pairs *met = &cx_worker_channel(drive.last)->pairs;
    fprintf(stderr, "fuzz: %" PRIu64 " schedules, %" PRIu32 " pairs of hand-offs%s\n", drive.played, met->count,
            met->lost ? " and more" : "");
}

static void shared_tell(void)
{
    if (drive.crews[1].count > 0) {
        fprintf(stderr, "fuzz: %" PRIu64 " of %" PRIu64 " runs that could share a process did\n",
                cx_worker_channel(drive.crews[1].workers[0])->resident_runs, drive.shared);
    }
}

static void begin(void)
{
    drive.target = is_set("CONSTRICTOR_FUZZ_TARGET") ? getenv("CONSTRICTOR_FUZZ_TARGET") : TARGET_DEFAULT;
    drive.blind = is_set("CONSTRICTOR_FUZZ_BLIND");
    drive.alone = is_set("CONSTRICTOR_FUZZ_ALONE");
    drive.both = is_set("CONSTRICTOR_FUZZ_BOTH");
    runners_find();
    atexit(shared_tell);
    if (is_set("CONSTRICTOR_FUZZ_STATS")) {
        atexit(stats_tell);
    }
}

// Starts it the first time.
static struct cx_worker *worker(int shared)
{
    struct cx_crew *crew = &drive.crews[shared];
    struct cx_error error = {0};
    if (crew->count == 0) {
        if (drive.target == NULL) {
            begin();
        }
        if (cx_crew_start(crew, drive.target, NULL, 1, 1, &error) != CX_OK ||
            (drive.last == NULL && fuzz_finding_begin(crew->workers[0], drive.target, &error) != CX_OK)) {
            die(&error);
        }
        drive.last = crew->workers[0];
    }
    return crew->workers[0];
}

// Some runner: all of a target have the same scenarios.
static struct cx_worker *any_worker(void)
{
    return drive.last != NULL ? drive.last : worker(0);
}

uint32_t fuzz_drive_scenario(const char *name)
{
    int32_t index = cx_worker_scenario_find(any_worker(), name);
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
    const struct cx_scenario_info *infos = cx_worker_scenarios(any_worker(), &count);
    for (uint32_t i = 0; i < count; i++) {
        drawn += (uint32_t)can_be_drawn(&infos[i]);
    }
    return drawn;
}

uint32_t fuzz_drive_nth(uint32_t n)
{
    uint32_t count = 0;
    const struct cx_scenario_info *infos = cx_worker_scenarios(any_worker(), &count);
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
    const struct cx_channel *channel = cx_worker_channel(drive.last);
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

static void request_fill(const struct fuzz_run *run, const struct length *length, int shared)
{
    struct cx_request *request = cx_worker_request(drive.last);
    request->scenario = run->scenario;
    request->strategy = run->strategy;
    request->pct_depth = run->pct_depth;
    request->seed = run->seed;
    request->given = run->given;
    request->resident = (uint32_t)shared;
    request->rules.early_ns_max = CX_EARLY_NS_DEFAULT;
    request->choices_expected = length != NULL ? length->choices : 0;
    request->points_expected = length != NULL ? length->points : 0;
    request->pairs = run->pairs;
    if (run->segments != NULL) {
        request->segments = *run->segments;
    }
    if (run->known != NULL) {
        struct cx_told *known = cx_worker_told(drive.last);
        known->salt = run->seed;
        memcpy(known->bits, run->known, sizeof(known->bits));
    }
    request->plan_count = run->plan_count;
    if (run->plan_count > 0) {
        memcpy(cx_worker_plan(drive.last), run->plan, run->plan_count * sizeof(*run->plan));
    }
}

static void play_in(const struct fuzz_run *run, const struct length *length, int shared)
{
    struct cx_error error = {0};
    enum cx_status status = CX_ERR_RUNNER;
    drive.last = worker(shared);
    request_fill(run, length, shared);
    while ((status = cx_worker_play(drive.last, &error)) == CX_ERR_RUNNER && drive.restarts++ < RESTARTS_MAX) {
        if (cx_worker_restart(drive.last, &error) != CX_OK) {
            die(&error);
        }
        request_fill(run, length, shared);
    }
    if (status != CX_OK) {
        die(&error);
    }
}

// What two runs of one input in the same memory have in common.
struct mark {
    uint64_t outcome, steps, choices, switches, fingerprint;
};

static struct mark mark_of(const struct cx_result *result)
{
    return (struct mark){result->outcome, result->steps, result->choices, result->switches, result->fingerprint};
}

// A run that shares a process counts if it passes. Else, and the first ones in any case, it is played once more in a
// process of its own, and that is the run. It must have been the same.
static void play(const struct fuzz_run *run, const struct length *length)
{
    if (!run->resident || drive.alone) {
        play_in(run, length, 0);
        return;
    }
    play_in(run, length, 1);
    struct mark shared = mark_of(cx_worker_result(drive.last));
    drive.shared++;
    if (shared.outcome == CX_OUTCOME_PASS && drive.checked >= CHECKED && !drive.both) {
        return;
    }
    drive.checked++;
    play_in(run, length, 0);
    struct mark alone = mark_of(cx_worker_result(drive.last));
    if (shared.outcome != CX_OUTCOME_ERROR && shared.outcome != CX_OUTCOME_HANG &&
        memcmp(&shared, &alone, sizeof(alone)) != 0) {
        fprintf(stderr, "fuzz: a run that shared a process is another one alone: each has its own now\n");
        drive.alone = 1;
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
        plain.segments = NULL;
        play(&plain, NULL);
        const struct cx_result *result = cx_worker_result(drive.last);
        *length = (struct length){run->like, result->choices, result->points_max};
    }
    return length;
}

static struct fuzz_reached reached(uint32_t scenario)
{
    const struct cx_pairs *met = &cx_worker_channel(drive.last)->pairs;
    struct fuzz_reached reached = {.scenario = scenario, .handoffs = (uint32_t)cx_worker_result(drive.last)->switches};
    if (!drive.blind) {
        reached.pairs = met;
        reached.fresh = met->fresh;
        reached.fresh_at = (uint32_t)met->fresh_at;
    }
    return reached;
}

struct fuzz_reached fuzz_drive(const struct fuzz_run *run)
{
    int drawn = run->strategy != CX_STRATEGY_REPLAY && run->strategy != CX_STRATEGY_POS;
    play(run, drawn ? length_of(run) : NULL);
    drive.played++;
    counters_fill();
    struct fuzz_reached of_run = reached(run->scenario);
    if (fuzz_finding_judge(run, drive.last, drive.played, &of_run.outcome) && !is_set("CONSTRICTOR_FUZZ_GO_ON")) {
        fuzz_finding_end();
        crews_end();
        abort();
    }
    return of_run;
}
