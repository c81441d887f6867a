// SPDX-License-Identifier: Apache-2.0
//
// compare: one scenario asked on both sides, for the first time or once more.
//
// Time: half of what is left of the gate's time is divided evenly among the scenarios that are still to be asked, the
// other half is there for those that find something. A slow machine plays CX_GATE_RUNS_FLOOR runs on each side beyond
// that, but not beyond an even share of all that is left: then one run on each side has to be enough, so that there is
// something for the scenarios to come. The limit of interrupt.h ends everything.
#ifndef CX_GATE_COMPARE_H
#define CX_GATE_COMPARE_H

#include "harness/gate/gate.h"
#include "harness/gate/side.h"
#include "harness/gate/state.h"

#define CX_GATE_RUNS_FLOOR 10

// What the scenarios of one pair of targets share.
struct cx_gate_compare {
    const struct cx_gate_options *options;
    struct cx_gate_target sides[CX_GATE_SIDES];
    struct cx_gate_sights sights; // of the current scenario
    regex_t stop_at;              // of options->stop_at
    int stopping;                 // 1: there is one
    uint64_t deadline_ns;         // of the gate
    uint64_t scenario_end_ns;     // an even share of all that is left; 0: no limit
    uint64_t scenarios_left;      // on all pairs, as far as is known
};

// Why a scenario cannot be asked on both sides, or NULL. Borrowed, static.
const char *cx_gate_incomparable(const struct cx_gate_compare *compare, const char *scenario);

// Ask a scenario for the first time: explore on both sides, follow on the other one what one side alone shows, and
// search there. The caller fills in the scenario of `result`, and judges the sights unless it is not comparable.
enum cx_status cx_gate_compare_first(struct cx_gate_compare *compare, struct cx_gate_result *result,
                                     struct cx_error *error);

// Ask it once more, with as many new runs as at first; `result` and the sights are those of before.
enum cx_status cx_gate_compare_more(struct cx_gate_compare *compare, struct cx_gate_result *result,
                                    struct cx_error *error);

#endif
