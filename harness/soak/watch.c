// SPDX-License-Identifier: Apache-2.0
//
// watch: see work.h. What a soak does beside its runs, all of it from the one thread, between two answers of runners.
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "harness/exec/clock.h"
#include "harness/options.h"
#include "harness/soak/work.h"

#define CX_USAGE_NS CX_NS_PER_S
#define CX_DISK_NS (10 * CX_NS_PER_S) // a folder may have many files
#define CX_BEAT_NS (5 * CX_NS_PER_S)

uint64_t cx_soak_spent_ms(const struct cx_soak *soak)
{
    return soak->ledger.spent_ms + (cx_clock_ns() - soak->started_ns) / CX_NS_PER_MS;
}

static json_t *usage_json(const struct cx_soak *soak)
{
    const struct cx_usage *usage = &soak->usage;
    const struct cx_caps *caps = &soak->options->caps;
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "own_kb", (json_int_t)(usage->own_bytes >> 10),
                     "memory_kb", (json_int_t)(usage->memory_bytes >> 10), "memory_max_kb",
                     (json_int_t)(caps->memory_bytes_max >> 10), "processes", (json_int_t)usage->processes,
                     "processes_max", (json_int_t)caps->processes_max, "files", (json_int_t)usage->files, "disk_kb",
                     (json_int_t)(usage->disk_bytes >> 10), "disk_max_kb", (json_int_t)(caps->disk_bytes_max >> 10));
}

// What is being played, or null.
static json_t *unit_json(const struct cx_soak *soak)
{
    if (soak->scenario == NULL) {
        return json_null();
    }
    return json_pack("{s:I, s:s, s:s, s:s, s:I, s:I}", "number", (json_int_t)soak->plan.number, "target",
                     soak->crew_target != NULL ? soak->crew_target : "", "scenario", soak->scenario, "strategy",
                     cx_strategy_name(soak->options->run.strategy), "runs", (json_int_t)soak->unit_runs, "runs_max",
                     (json_int_t)soak->options->run.runs_max);
}

static json_t *state_json(void *context)
{
    const struct cx_soak *soak = context;
    const struct cx_ledger *ledger = &soak->ledger;
    json_t *canaries =
        json_pack("{s:I, s:I, s:I, s:s?}", "passes", (json_int_t)ledger->passes, "last_ms",
                  (json_int_t)ledger->canary_ms, "every_s", (json_int_t)(soak->options->canary_ns / CX_NS_PER_S),
                  "invalid", ledger->invalid[0] != '\0' ? ledger->invalid : NULL);
    uint64_t runs = soak->runs + soak->unit_runs;
    return json_pack("{s:s, s:i, s:s, s:i, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:s}",
                     "type", "soak", "format", 1, "state", soak->state, "pid", (int)getpid(), "session",
                     soak->campaign.results.store.session, "begun_ms", (json_int_t)soak->begun_ms, "at_ms",
                     (json_int_t)cx_clock_unix_ms(), "spent_ms", (json_int_t)cx_soak_spent_ms(soak), "time_max_ms",
                     (json_int_t)ledger->time_max_ms, "units", (json_int_t)soak->plan.number, "units_max",
                     (json_int_t)ledger->units_max, "runs", (json_int_t)runs, "signatures",
                     (json_int_t)soak->campaign.findings, "unexpected", (json_int_t)soak->campaign.findings_unexpected,
                     "unit", unit_json(soak), "canaries", canaries, "usage", usage_json(soak), "stop", soak->stop);
}

void cx_soak_beat(struct cx_soak *soak)
{
    struct cx_error error = {0};
    soak->beat_ns = cx_clock_ns();
    if (cx_beat_write(&soak->beat, state_json(soak), &error) != CX_OK && soak->stop[0] == '\0') {
        snprintf(soak->stop, sizeof(soak->stop), "--out %.200s: %.180s", soak->options->run.out_dir, error.text);
    }
}

static void usage_watch(struct cx_soak *soak, uint64_t now_ns)
{
    if (now_ns - soak->usage_ns < CX_USAGE_NS) {
        return;
    }
    soak->usage_ns = now_ns;
    cx_usage_processes(&soak->usage);
    if (soak->disk_ns == 0 || now_ns - soak->disk_ns >= CX_DISK_NS) {
        soak->disk_ns = now_ns;
        cx_usage_disk(&soak->usage, soak->options->run.out_dir);
    }
    if (soak->stop[0] == '\0') {
        cx_caps_passed(&soak->options->caps, &soak->usage, soak->stop, sizeof(soak->stop));
    }
}

static void live_show(struct cx_soak *soak)
{
    char left[32] = "no end", line[400];
    uint64_t now_ns = cx_clock_ns();
    if (soak->deadline_ns != CX_NO_DEADLINE) {
        cx_live_duration_text(soak->deadline_ns > now_ns ? soak->deadline_ns - now_ns : 0, left);
    }
    snprintf(line, sizeof(line),
             "%" PRIu64 " units, %" PRIu64 " runs, %" PRIu64 " signatures, %" PRIu64 " unexpected, %s left: %s on %s",
             soak->plan.number, soak->runs + soak->unit_runs, soak->campaign.findings,
             soak->campaign.findings_unexpected, left, soak->scenario != NULL ? soak->scenario : soak->state,
             soak->crew_target != NULL ? soak->crew_target : "");
    cx_live_show(&soak->campaign.live, line);
}

void cx_soak_watch(struct cx_soak *soak)
{
    uint64_t now_ns = cx_clock_ns();
    usage_watch(soak, now_ns);
    if (soak->campaign.results.store.failed && soak->stop[0] == '\0') {
        snprintf(soak->stop, sizeof(soak->stop), "%.390s", soak->campaign.results.store.error.text);
    }
    if (now_ns - soak->beat_ns >= CX_BEAT_NS) {
        cx_soak_beat(soak);
    }
    cx_beat_serve(&soak->beat, state_json, soak);
    if (cx_live_due(&soak->campaign.live)) {
        live_show(soak);
    }
    if (soak->stop[0] != '\0') {
        soak->explore_options.deadline_ns = 0;
    }
}

enum cx_status cx_soak_stopped(const struct cx_soak *soak, struct cx_error *error)
{
    return soak->stop[0] == '\0' ? CX_OK : cx_error_set(error, CX_ERR_ENVIRONMENT, "%s", soak->stop);
}
