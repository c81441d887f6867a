// SPDX-License-Identifier: Apache-2.0
//
// confirm: the replays that decide whether a finding may be called one.
#ifndef CX_EXEC_CONFIRM_H
#define CX_EXEC_CONFIRM_H

#include "harness/detect/signature.h"
#include "harness/exec/channel.h"
#include "harness/exec/record.h"
#include "harness/finding.h"

#define CX_CONFIRM_SLOW_MAX 2

// One run under replay. Zeroed memory says that none is.
struct cx_confirm {
    int active;
    int pass_verify; // the run passed; the replay must pass in the same way
    uint32_t wanted; // replays to play
    uint32_t started;
    uint32_t done;
    uint32_t slow;   // replays that real time ended, and that are played again
    uint32_t passed; // replays that followed the schedule to its end and found nothing
    uint64_t run;
    const struct cx_record *record;            // borrowed
    struct cx_finding *fresh[CX_SYMPTOMS_MAX]; // borrowed; the new signatures of this run
    uint32_t fresh_count;
    char divergence[400]; // the first thing that was different, or empty
};

// Fill in the request and the plan that replay a record strictly; of one with too many deviations, that ask the same of
// its strategy again. `request->cpu` stays.
void cx_confirm_request(const struct cx_record *record, struct cx_request *request, struct cx_deviation *plan);

// 1 if this replay says nothing, because real time ended it and not the run that it replays, and is to be played again:
// real time is the machine's. So often at most; who never comes to the end is another run.
int cx_confirm_repeat(struct cx_confirm *confirm, const struct cx_result *result);

// Judge one replay.
void cx_confirm_replay(struct cx_confirm *confirm, const struct cx_result *result, const struct cx_resolver *resolver);

// The run came to no end within its real-time bound, nothing that is out of our control held it up, and each replay of
// its schedule passed: it was slow. That is no finding.
int cx_confirm_slow(const struct cx_confirm *confirm);

// In what a strict replay differed from its schedule, in words; or the empty text. `paths` names threads.
void cx_confirm_divergence(const struct cx_result *result, char *text, size_t text_bytes);

// 1 if a passing run went another way for something that is not under control, which is to be expected and no fault of
// the program's; `text` says so.
int cx_confirm_outside(const struct cx_confirm *confirm, char *text, size_t text_bytes);

#endif
