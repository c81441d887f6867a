// SPDX-License-Identifier: Apache-2.0
//
// judge: what two sides of a gate have shown, and what that means. Pure: no runs, no files.
//
// A sight is one signature of one scenario, and what each side knows about it. A side that has not shown it has looked
// for it in so many schedules; that number is the strength of "not there", and goes along with every verdict.
#ifndef CX_GATE_JUDGE_H
#define CX_GATE_JUDGE_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/detect/signature.h"
#include "harness/names.h"

enum cx_gate_side { CX_GATE_BASELINE = 0, CX_GATE_CANDIDATE, CX_GATE_SIDES };

// Of a sight, or of a scenario; a scenario has the last of its sights' in this order.
enum cx_gate_verdict {
    CX_GATE_PASS = 0,       // neither side has shown anything
    CX_GATE_UNCERTAIN,      // one side alone has shown it, and not in all three replays
    CX_GATE_STILL,          // both sides show it, or the candidate alone, and the baseline is known to have it
    CX_GATE_CHANGED,        // the other side shows the same known defect with another signature
    CX_GATE_FIXED,          // the baseline alone shows it
    CX_GATE_NEW,            // the candidate alone shows it
    CX_GATE_NOT_COMPARABLE, // it cannot be asked on both sides; of a scenario only
    CX_GATE_VERDICTS,
};

struct cx_gate_sight {
    struct cx_signature signature;
    char kind[24];
    char known[64]; // id of the known defect that explains it, or empty
    char issue[64]; // its upstream issue
    enum cx_gate_verdict verdict;
    struct {
        int seen;
        int expected;            // a known defect explains it there
        int confirmed;           // three strict replays out of three, or seen in the other side's schedule
        uint64_t schedules;      // without seeing it: that looked for it; else up to the one that showed it
        char schedule[PATH_MAX]; // file, or empty
        char doubt[400];         // how a replay went another way, or why else it is not confirmed
    } sides[CX_GATE_SIDES];
    struct cx_deviation *plan; // owned; of the run that showed it first
    size_t plan_count;
    struct cx_names aimed; // owned; functions whose plain accesses were points, if that run was directed at a race
    uint64_t seed;         // of that run
    uint32_t strategy;     // that made it
};

struct cx_gate_sights {
    struct cx_gate_sight *list; // owned
    size_t count;
};

void cx_gate_sights_fini(struct cx_gate_sights *sights);

// The sight of this signature, a zeroed one at the end if there is none yet; NULL without memory. Valid until the next.
struct cx_gate_sight *cx_gate_sights_get(struct cx_gate_sights *sights, const struct cx_signature *signature);

// 1 if one side alone has seen it; `*missing` is the other one.
int cx_gate_one_sided(const struct cx_gate_sight *sight, enum cx_gate_side *missing);

// Give every sight its verdict. Returns the scenario's.
enum cx_gate_verdict cx_gate_judge(struct cx_gate_sights *sights);

// "pass", "new", "fixed", ... Borrowed, static.
const char *cx_gate_verdict_name(enum cx_gate_verdict verdict);
// The verdict with this name, or CX_GATE_VERDICTS.
enum cx_gate_verdict cx_gate_verdict_from_name(const char *name);

#endif
