// SPDX-License-Identifier: Apache-2.0
//
// units: see units.h.
#include "harness/exec/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "harness/exec/clock.h"
#include "harness/exec/seed.h"
#include "harness/exec/subject.h"
#include "harness/options.h"

// One text for each thing that decides what the runs of a unit are; the build is in the key of every row.
static void campaign_text(const struct cx_campaign_options *options, FILE *stream)
{
    fprintf(stream, "%s %u %" PRIu64 " %s %u %u %" PRIu64 " %u %" PRIu64 " %" PRIu64 " %u %u %d\n", CONSTRICTOR_VERSION,
            CX_UNIT_RUNS, options->seed, cx_strategy_name(options->strategy), options->pct_depth,
            options->preemptions_max, options->run_first, options->wall_ms_max, options->steps_max,
            options->rules.early_ns_max, options->rules.spurious, options->points_level, options->verify);
    for (size_t i = 0; i < options->within.count; i++) {
        fprintf(stream, "within %s\n", options->within.list[i]);
    }
    const struct cx_subject *subject = options->subject;
    if (subject == NULL) {
        return;
    }
    fprintf(stream, "subject %s %u %d %016" PRIx64 "\n", subject->name, subject->kind, subject->from_start,
            subject->digest);
    for (size_t i = 1; i < subject->words.count; i++) {
        fprintf(stream, "word %s\n", subject->words.list[i]);
    }
    for (size_t i = 0; i < subject->environment.count; i++) {
        fprintf(stream, "environment %s\n", subject->environment.list[i]);
    }
}

void cx_units_campaign_id(const struct cx_campaign_options *options, char id[CX_STORE_ID_BYTES])
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    if (stream != NULL) {
        campaign_text(options, stream);
        fclose(stream);
    }
    uint64_t one = cx_hash_bytes(CX_HASH_START, text, bytes);
    uint64_t two = cx_hash_bytes(cx_mix(CX_HASH_START), text, bytes);
    snprintf(id, CX_STORE_ID_BYTES, "%016" PRIx64 "%016" PRIx64, cx_mix(one), cx_mix(two));
    free(text);
}

void cx_units_name(const struct cx_campaign *campaign, json_t *line)
{
    if (campaign->options->shard.total > 0 && line != NULL) {
        json_object_set_new(line, "unit", json_integer((json_int_t)campaign->unit));
    }
}

int cx_units_outdone(struct cx_campaign *campaign, const struct cx_explore *explore, const struct cx_finding *finding)
{
    if (campaign->options->shard.total == 0) {
        return 0;
    }
    json_t *run = finding->run == CX_RUN_DEFAULT ? json_null() : json_integer((json_int_t)finding->run);
    json_t *key = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "target", campaign->target, "build_id",
                            campaign->identity->build_id, "scenario", explore->options->scenario, "id",
                            finding->signature.id, "status", cx_finding_status_name(finding->status), "run", run);
    cx_units_name(campaign, key);
    int outdone = cx_store_outdone(&campaign->results.store, key);
    json_decref(key);
    return outdone;
}

// A shard's verdict about one scenario: the worst of its units'. That a canary's finding did not come counts only if it
// came in no unit, and then only if there is no other shard, in which it may have come.
static enum cx_verdict verdict_of(const struct cx_campaign *campaign, unsigned seen)
{
    static const enum cx_verdict worst_first[] = {CX_VERDICT_FINDINGS, CX_VERDICT_ERROR, CX_VERDICT_NOTHING,
                                                  CX_VERDICT_KNOWN,    CX_VERDICT_PASS,  CX_VERDICT_NOTHING_DUE,
                                                  CX_VERDICT_SKIPPED};
    for (size_t i = 0; i < sizeof(worst_first) / sizeof(worst_first[0]); i++) {
        if ((seen & 1U << worst_first[i]) != 0) {
            return worst_first[i];
        }
    }
    return campaign->options->shard.total == 1 ? CX_VERDICT_MISSING : CX_VERDICT_PASS;
}

static const char *remark_of(const struct cx_campaign *campaign, unsigned seen)
{
    if (campaign->options->shard.total > 1 && seen == 1U << CX_VERDICT_MISSING) {
        return "the finding that is expected of it did not come in this shard";
    }
    return cx_verdict_remark(verdict_of(campaign, seen));
}

static void part_print(struct cx_campaign *campaign, const char *scenario, json_t *part, unsigned seen)
{
    const struct cx_shard *shard = &campaign->options->shard;
    json_int_t units = 0, runs = 0, failing = 0, choices = 0, count = 0;
    json_t *signatures = NULL, *each = NULL;
    size_t i = 0;
    if (part == NULL || json_unpack(part, "{s:I, s:I, s:I, s:I, s:o}", "units", &units, "runs", &runs, "runs_failing",
                                    &failing, "choices", &choices, "signatures", &signatures) != 0) {
        return; // the store cannot be read: its end says why
    }
    const char *remark = remark_of(campaign, seen);
    cx_live_clear(&campaign->live);
    printf("\n%s on %s, shard %u of %u: %lld unit%s, %lld runs, %lld failing (%.1f %%), %zu signature%s, "
           "%lld choices a run%s%s\n",
           scenario, campaign->target, shard->index + 1, shard->total, (long long)units, units == 1 ? "" : "s",
           (long long)runs, (long long)failing, runs > 0 ? 100.0 * (double)failing / (double)runs : 0.0,
           json_array_size(signatures), json_array_size(signatures) == 1 ? "" : "s",
           (long long)(runs > 0 ? choices / runs : 0), remark[0] != '\0' ? "; " : "", remark);
    json_array_foreach(signatures, i, each)
    {
        const char *text = "";
        const char *known = "";
        int unexpected = 0;
        (void)json_unpack(each, "{s:I, s:s, s:s, s:i}", "count", &count, "signature", &text, "known", &known,
                          "unexpected", &unexpected);
        printf("  %6lld x %s%s%s\n", (long long)count, text, known[0] != '\0' ? "; known: " : "", known);
        campaign->findings_unexpected += (uint64_t)unexpected;
        campaign->findings_known += known[0] != '\0';
    }
    campaign->runs_before += (uint64_t)runs;
    fflush(stdout);
}

static json_t *unit_key(const struct cx_campaign *campaign, const char *scenario)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "target", campaign->target, "build_id", campaign->identity->build_id,
                     "scenario", scenario, "strategy", cx_strategy_name(campaign->options->strategy));
}

// What the store says of a unit that has been played, or CX_VERDICTS.
static enum cx_verdict unit_verdict(struct cx_campaign *campaign, const char *scenario, uint64_t runs)
{
    char word[40];
    json_t *key = unit_key(campaign, scenario);
    cx_units_name(campaign, key);
    json_object_set_new(key, "runs", json_integer(runs > INT64_MAX ? INT64_MAX : (json_int_t)runs));
    cx_store_unit_verdict(&campaign->results.store, key, word, sizeof(word));
    json_decref(key);
    enum cx_verdict verdict = CX_VERDICT_PASS;
    while (verdict < CX_VERDICTS && strcmp(word, cx_verdict_name(verdict)) != 0) {
        verdict++;
    }
    return verdict;
}

static void part_tell(struct cx_campaign *campaign, const char *scenario, uint64_t place, unsigned seen)
{
    const struct cx_shard *shard = &campaign->options->shard;
    json_t *key = unit_key(campaign, scenario);
    json_object_set_new(key, "offset", json_integer((json_int_t)(place % shard->total)));
    json_object_set_new(key, "total", json_integer(shard->total));
    json_object_set_new(key, "index", json_integer(shard->index));
    json_t *part = cx_store_part(&campaign->results.store, key);
    part_print(campaign, scenario, part, seen);
    json_decref(part);
    json_decref(key);
}

enum cx_status cx_units_run(struct cx_campaign *campaign, struct cx_crew *crew, uint32_t index,
                            const struct cx_scenario_info *info, uint64_t deadline_ns, struct cx_error *error)
{
    const struct cx_campaign_options *options = campaign->options;
    const struct cx_shard *shard = &options->shard;
    // A search through all schedules cannot be divided.
    uint64_t unit_runs = options->strategy == CX_STRATEGY_EXHAUSTIVE ? UINT64_MAX : CX_UNIT_RUNS;
    uint64_t unit_last = (options->runs_max - 1) / unit_runs;
    uint64_t place = campaign->place++;
    uint64_t unit = (shard->index + shard->total - place % shard->total) % shard->total;
    enum cx_status status = CX_OK;
    unsigned seen = 0;
    for (; unit <= unit_last && status == CX_OK; unit += shard->total) {
        if (deadline_ns != CX_NO_DEADLINE && cx_clock_ns() >= deadline_ns) {
            break;
        }
        uint64_t begin = unit * unit_runs;
        uint64_t runs = options->runs_max - begin < unit_runs ? options->runs_max - begin : unit_runs;
        campaign->unit = unit;
        enum cx_verdict verdict = unit_verdict(campaign, info->name, runs);
        if (verdict == CX_VERDICTS) {
            const struct cx_campaign_part part = {options->run_first + begin, runs, deadline_ns};
            status = cx_campaign_part_run(campaign, crew, index, info, &part, &verdict, error);
        } else {
            campaign->units_before++;
        }
        seen |= 1U << verdict;
    }
    if (seen != 0) {
        campaign->verdicts[verdict_of(campaign, seen)]++;
        part_tell(campaign, info->name, place, seen);
    }
    return status;
}
