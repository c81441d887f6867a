// SPDX-License-Identifier: Apache-2.0
//
// campaign: what `constrictor run` does: scenarios on targets, one after the other, and what is said about them.
//
// It owns the choice of scenarios, the division of time among them, the folder of schedules, and the verdict.
// explore.h plays and judges; report.c prints and writes.
#ifndef CX_EXEC_CAMPAIGN_H
#define CX_EXEC_CAMPAIGN_H

#include <stdint.h>

#include "harness/detect/symbolizer.h"
#include "harness/exec/explore.h"
#include "harness/exec/known.h"
#include "harness/exec/live.h"
#include "harness/exec/results.h"
#include "harness/exec/shard.h"
#include "harness/names.h"
#include "harness/status.h"

struct cx_campaign_options {
    struct cx_names patterns; // "all", names, or shell patterns such as "finalize/*"
    struct cx_names targets;
    struct cx_names environment;      // of a subject, until it takes it
    const struct cx_subject *subject; // run this on the one target, instead of scenarios; NULL: none
    uint32_t strategy;
    uint32_t pct_depth;
    uint32_t preemptions_max;
    uint64_t seed;
    struct cx_shard shard;
    int shard_given; // it is the user's, whatever the environment says
    uint64_t run_first;
    uint64_t runs_max;     // of each scenario; UINT64_MAX: as many as the time allows
    uint64_t findings_max; // of each scenario; 0: no limit
    uint64_t time_max_ns;  // of the whole campaign; 0: no limit
    uint32_t jobs;         // 0: one for every CPU
    uint32_t wall_ms_max;  // of one run; 0: the scenario's
    uint64_t steps_max;    // of one run; 0: the scenario's
    struct cx_rules rules;
    uint32_t points_level;  // enum cx_points_level
    int points_given;       // it is the user's
    struct cx_names within; // what narrows plain accesses, see exec/within.h
    int follow_forks;       // processes that a subject forks are followed
    int spurious_given;     // rules.spurious is the user's
    int verify;
    int in_process;
    const char *out_dir;
    const char *json_path;  // or NULL
    const char *store_path; // NULL: in out_dir; empty: no store
    const char *command;    // the words of the command line
    const char *known_path; // NULL: the usual file; "none"
};

// What became of one scenario on one target.
enum cx_verdict {
    CX_VERDICT_PASS = 0,
    CX_VERDICT_KNOWN,       // nothing but known defects
    CX_VERDICT_FINDINGS,    // something unexpected
    CX_VERDICT_MISSING,     // a canary's expected finding did not come
    CX_VERDICT_NOTHING,     // nothing explored
    CX_VERDICT_NOTHING_DUE, // nothing explored, and that is right
    CX_VERDICT_SKIPPED,     // does not apply here
    CX_VERDICT_ERROR,       // the harness failed
    CX_VERDICTS,            // how many there are
};

struct cx_campaign {
    const struct cx_campaign_options *options;
    const char *target;
    char known_target[CX_KNOWN_TARGET_BYTES]; // how known defects name it
    struct cx_known known;
    const struct cx_identity *identity;
    struct cx_symbolizer *symbolizer;
    struct cx_symbolizer_view view;
    struct cx_resolver resolver;
    struct cx_points points; // on the current target
    struct cx_results results;
    char *store_path;           // owned
    char id[CX_STORE_ID_BYTES]; // of the campaign, if it is divided into shards
    struct cx_live live;
    uint64_t verdicts[CX_VERDICTS];
    uint64_t place;        // of the next scenario, over all targets
    uint64_t unit;         // that is played; see units.h
    uint64_t units_before; // units that had been played when this command began
    uint64_t runs_before;  // runs of the shard's units, whoever played them
    uint64_t runs;         // of the scenarios before the current one
    uint64_t findings;     // signatures, so far
    uint32_t divergences_told;
    uint32_t schedules_lost; // findings whose file could not be written
    uint64_t findings_unexpected;
    uint64_t findings_known;
    uint64_t interleavings; // of the scenarios before the current one
    uint64_t deadline_ns;   // of the current scenario
};

// Run it all and print the end. Returns the exit code of the command.
enum cx_exit cx_campaign_run(const struct cx_campaign_options *options);

// So many runs of one scenario.
struct cx_campaign_part {
    uint64_t run_first;
    uint64_t runs_max;
    uint64_t deadline_ns;
};

// Explore them, and tell. `verdict` is set in every case.
enum cx_status cx_campaign_part_run(struct cx_campaign *campaign, struct cx_crew *crew, uint32_t index,
                                    const struct cx_scenario_info *info, const struct cx_campaign_part *part,
                                    enum cx_verdict *verdict, struct cx_error *error);

// "pass", "known", ...; "?" for what is no verdict. Borrowed, static.
const char *cx_verdict_name(enum cx_verdict verdict);
// What is said of it beside the numbers; may be empty. Borrowed, static.
const char *cx_verdict_remark(enum cx_verdict verdict);

// What a gate and a soak share with it. Make the folder of schedules and try whether files can be made in it.
enum cx_status cx_campaign_out_prepare(const char *path, struct cx_error *error);
// Every pattern must match something: a misspelt name that runs nothing would look like a pass.
enum cx_status cx_campaign_patterns_check(const struct cx_names *patterns, const struct cx_scenario_info *scenarios,
                                          uint32_t count, struct cx_error *error);
int cx_campaign_selected(const struct cx_names *patterns, const char *name);
// Names and symbols are those of this target from now on. The crew must stay.
void cx_campaign_enter(struct cx_campaign *campaign, const struct cx_crew *crew, const char *target);
// Look a finding up among the known defects.
void cx_campaign_know(const struct cx_campaign *campaign, const struct cx_explore *explore, struct cx_finding *finding);
enum cx_verdict cx_campaign_verdict(const struct cx_explore *explore, const struct cx_scenario_info *info);
// Write the schedule of a finding below the folder and its name into the finding; a failure is said.
void cx_report_schedule_save(struct cx_campaign *campaign, const struct cx_explore *explore, struct cx_finding *finding,
                             const struct cx_record *record);

// The parts that report.c does. A finding: write its schedule, print it, write its line.
void cx_report_finding(struct cx_campaign *campaign, const struct cx_explore *explore, struct cx_finding *finding,
                       const struct cx_record *record);
void cx_report_start(struct cx_campaign *campaign, uint32_t jobs);
// The known defects that this scenario should have shown by now, and has not: they may be fixed.
size_t cx_campaign_unseen(const struct cx_campaign *campaign, const struct cx_explore *explore,
                          const struct cx_known_entry **unseen, size_t unseen_max);
// The totals of a scenario, at its end or (`verdict` NULL) in the middle. A new reference.
json_t *cx_report_totals(const struct cx_campaign *campaign, const struct cx_explore *explore, const char *verdict);
void cx_report_scenario(struct cx_campaign *campaign, const struct cx_explore *explore, enum cx_verdict verdict);
void cx_report_live(struct cx_campaign *campaign, const struct cx_explore *explore);
void cx_report_end(struct cx_campaign *campaign, enum cx_exit code);

// The command line that plays a finding again, into `text`.
void cx_report_replay_command(const struct cx_campaign *campaign, const struct cx_explore *explore,
                              const struct cx_finding *finding, char *text, size_t text_bytes);

#endif
