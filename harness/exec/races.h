// SPDX-License-Identifier: Apache-2.0
//
// races: what comes of a race that ThreadSanitizer has reported. Its two accesses are brought together in many runs
// (harness/sched/strategy_race.c) and ordered both ways.
//
// Only runs in which they met count. What fails in a run in which they did not is told apart: it has another reason.
#ifndef CX_EXEC_RACES_H
#define CX_EXEC_RACES_H

#include <limits.h>

#include "harness/exec/aim.h"
#include "harness/exec/session.h"

#define CX_RACE_FAILURES_MAX 32

// One signature that came of it.
struct cx_race_failure {
    struct cx_signature signature;
    enum cx_outcome kind;
    uint64_t runs[2];    // that showed it, by which access was first
    uint32_t confirmed;  // of CX_CONFIRMATIONS replays
    char path[PATH_MAX]; // of its schedule; empty: not written
};

// Zeroed memory is valid to close.
struct cx_races {
    struct cx_session *session; // borrowed
    const char *path;           // borrowed; of the schedule that shows the race
    struct cx_race race;
    struct cx_aim aim;
    uint64_t choices; // of a run in the default order
    uint64_t played;  // runs each way
    uint64_t met[2];
    uint64_t failed[2];    // of those
    uint64_t failed_apart; // runs in which the accesses did not meet
    uint32_t failures_count;
    uint32_t failures_left_out;
    struct cx_race_failure failures[CX_RACE_FAILURES_MAX];
};

// Replay the session's file and take the race from it. The session's points become those of directed runs.
// CX_ERR_USAGE: the file shows no race.
enum cx_status cx_races_find(struct cx_races *races, struct cx_error *error);
void cx_races_fini(struct cx_races *races);

// Play `runs` runs each way. Writes a schedule file for each new signature. CX_ERR_INTERRUPTED: Ctrl-C.
enum cx_status cx_races_play(struct cx_races *races, uint64_t runs, struct cx_error *error);

// 1 if the access of freed memory is what was reported: nothing more needs to come of it.
int cx_race_of_freed(const struct cx_race *race);

// 1 if something failed for which the order of the two accesses can be the reason.
int cx_races_harmful(const struct cx_races *races);

#endif
