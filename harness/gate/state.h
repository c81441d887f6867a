// SPDX-License-Identifier: Apache-2.0
//
// state: what a gate has found so far, as lines of a file that survives its end, and as the reports made of them.
//
// DIR/gate.jsonl: the first line is what was asked for, every other line the result of one scenario on one pair. A line
// is written with one write and synced; a last line without a newline was cut off and is dropped on resuming. Of two
// lines of one scenario the last one counts. The object of a line is documented in docs/gate.md.
#ifndef CX_GATE_STATE_H
#define CX_GATE_STATE_H

#include <jansson.h>
#include <stdint.h>

#include "harness/gate/judge.h"
#include "harness/status.h"

#define CX_GATE_FORMAT 1
// The reason of a result that is none: the scenario is asked when the gate goes on.
#define CX_GATE_NO_TIME "the time was over before both sides had played it"

// Zeroed memory is valid to close.
struct cx_gate_state {
    int fd; // -1 or 0: none
    json_t *asked;
    json_t *results; // a list of objects, one for each scenario and pair
};

// The result of one scenario on one pair of targets.
struct cx_gate_result {
    const char *scenario;
    const char *targets[CX_GATE_SIDES];
    enum cx_gate_verdict verdict;
    const char *reason; // of not comparable; else empty
    uint64_t runs[CX_GATE_SIDES];
    uint64_t cpu_ns[CX_GATE_SIDES];
    uint64_t spent_ns; // of the time of the whole gate, when this result was there
    const struct cx_gate_sights *sights;
};

// Begin a new file in `dir`, which must not have one; takes the reference `asked`.
enum cx_status cx_gate_state_create(struct cx_gate_state *state, const char *dir, json_t *asked,
                                    struct cx_error *error);
// Go on with the file of `dir`.
enum cx_status cx_gate_state_resume(struct cx_gate_state *state, const char *dir, struct cx_error *error);
// Read the lines of a text; a last line without its newline is left out. `*whole_bytes`: how much of it counts.
enum cx_status cx_gate_state_parse(struct cx_gate_state *state, const char *text, size_t text_bytes,
                                   size_t *whole_bytes, struct cx_error *error);
void cx_gate_state_close(struct cx_gate_state *state);

// One more result, or a newer one: on the disk when this returns.
enum cx_status cx_gate_state_add(struct cx_gate_state *state, const struct cx_gate_result *result,
                                 struct cx_error *error);
// 1 if this scenario is done on this pair: there is a result, and it is not for want of time that it says nothing.
int cx_gate_state_have(const struct cx_gate_state *state, const char *scenario, const char *baseline,
                       const char *candidate);
// The time that this gate had spent when its last result came.
uint64_t cx_gate_state_spent_ns(const struct cx_gate_state *state);
// The result of this pair whose scenario has the best claim to more runs: it has found most, for the turns of
// `runs_max` runs that it has had. NULL: none is comparable. Borrowed.
const json_t *cx_gate_state_richest(const struct cx_gate_state *state, const char *baseline, const char *candidate,
                                    uint64_t runs_max);
// What a result knows, to go on with: runs, CPU time and sights; a sight from there has no plan. The scenario's name is
// the result's.
void cx_gate_state_recall(const json_t *object, struct cx_gate_result *result, struct cx_gate_sights *sights);
// How many scenarios were not played for want of time.
uint64_t cx_gate_state_left_out(const struct cx_gate_state *state);
// How many results have a verdict.
uint64_t cx_gate_state_count(const struct cx_gate_state *state, enum cx_gate_verdict verdict);

// Write the summary for people and the document for programs; a name of NULL writes nothing.
enum cx_status cx_gate_summary_write(const struct cx_gate_state *state, int complete, int exit_code,
                                     const char *markdown_path, const char *json_path, struct cx_error *error);

#endif
