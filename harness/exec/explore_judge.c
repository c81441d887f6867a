// SPDX-License-Identifier: Apache-2.0
//
// explore_judge: runs are judged in the order of their numbers: what is new in them, whether it comes back when it is
// replayed, and what it counts.
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "harness/exec/explore_work.h"
#include "harness/exec/interrupt.h"

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
    finding->run = cx_explore_run_of(explore, number);
    finding->seed = cx_explore_seed_of(explore, number);
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
    cx_explore_say(explore, line);
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

void cx_explore_confirm_end(struct cx_explore *explore, int interrupted)
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
        cx_explore_say(explore, text);
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

// A new race is worth runs that are directed at it, unless somebody has said what is to be a point.
static void race_aim(struct cx_explore *explore, const struct cx_record *record, uint32_t index)
{
    const struct cx_race *race = index < record->result->races_count ? &record->result->races[index] : NULL;
    const struct cx_identity *identity = cx_worker_identity(explore->crew->workers[0]);
    int wanted = race != NULL && race->accesses_count == 2 && identity->accesses &&
                 explore->options->points->level == CX_POINTS_ATOMIC && cx_deal_wants_aims(explore->work->deal);
    struct cx_aim *aim = wanted ? malloc(sizeof(*aim)) : NULL;
    struct cx_error error;
    if (aim == NULL) {
        return;
    }
    if (cx_aim_find(aim, race, explore->resolver, identity, &error) != CX_OK ||
        cx_deal_aim(explore->work->deal, aim, &error) != CX_OK) {
        cx_aim_fini(aim);
        free(aim);
        cx_explore_say(explore, error.text);
    }
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
    cx_totals_add(&explore->totals, record, number == 0, work->symptoms.count > 0, cx_explore_controlled(explore));
    if (number >= 1 && number <= CX_PROBE_RUNS) {
        work->probe[number - 1].fingerprint = record->fingerprint;
        work->probe[number - 1].steps = record->steps;
        work->probe[number - 1].outcome = record->outcome;
    }
    confirm->record = record;
    confirm->run = number;
    for (uint32_t i = 0; i < work->symptoms.count; i++) {
        const struct cx_symptom *symptom = &work->symptoms.list[i];
        struct cx_finding *finding = cx_findings_get(&explore->findings, symptom->signature.id);
        if (finding == NULL) {
            finding = finding_new(explore, &symptom->signature, symptom->kind, symptom->race, number);
            finding->by_seed = record->detailed && record->result->deviations_dropped;
            confirm->fresh[confirm->fresh_count++] = finding;
            if (symptom->kind == CX_OUTCOME_RACE) {
                race_aim(explore, record, symptom->race);
            }
        }
        finding->count++;
    }
    cx_deal_judge(work->deal, number, record, confirm->fresh_count);
    int replayable = cx_explore_controlled(explore) && cx_record_replayable(record);
    int verify = replayable && (number <= 1 || explore->options->verify) && record->outcome == CX_OUTCOME_PASS;
    confirm->pass_verify = verify && work->symptoms.count == 0;
    if (replayable && (confirm->fresh_count > 0 || confirm->pass_verify)) {
        confirm->active = 1;
        confirm->wanted = confirm->fresh_count > 0 ? CX_CONFIRMATIONS : 1;
        return;
    }
    for (uint32_t i = 0; i < confirm->fresh_count; i++) {
        confirm->fresh[i]->status = cx_explore_controlled(explore) ? CX_FINDING_UNREPLAYABLE : CX_FINDING_NATIVE;
        finding_settle(explore, confirm->fresh[i], record);
    }
    memset(confirm, 0, sizeof(*confirm));
}

void cx_explore_judge(struct cx_explore *explore)
{
    struct cx_explore_work *work = explore->work;
    for (;;) {
        struct cx_slot *slot = &work->slots[work->next_judge % CX_SLOTS_COUNT];
        if (!slot->ready) {
            return;
        }
        if (work->confirm.active) {
            if (work->confirm.done < work->confirm.wanted) {
                return;
            }
            cx_explore_confirm_end(explore, 0);
        } else if (!work->enough) {
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
