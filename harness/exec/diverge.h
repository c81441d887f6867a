// SPDX-License-Identifier: Apache-2.0
//
// diverge: where two runs of one schedule part, and why.
//
// The schedule is played again and again, two runs at a time; the first of them in a process of its own where need be.
// Each keeps the hash of its log every so many steps, so that a run of any length costs the same memory: the block in
// which two runs part is played again with its steps, and then the one step with the stack of its thread. Every run of
// it may go another way, so only what was seen in one and the same pair is ever put side by side. The runs are watched
// (harness/detect/watch.h): what came in from outside, and was not the same in both, is the likely source.
#ifndef CX_EXEC_DIVERGE_H
#define CX_EXEC_DIVERGE_H

#include <stdio.h>

#include "harness/exec/session.h"

// What one run was seen to do.
struct cx_track {
    struct cx_result *result; // owned
    struct cx_step *steps;    // owned: the window
    size_t steps_count;
    uint64_t *blocks;        // owned: result->log_blocks_count
    struct cx_input *inputs; // owned: oldest first
    size_t inputs_count;
};

struct cx_divergence {
    int found;         // the two runs part at `step`, counted from 1
    int watched;       // inputs were written down
    int stacks;        // both results have the stack of the step
    int fresh;         // the second run had another runner process
    uint32_t plays;    // runs that were played
    uint64_t step;     // 0: none was found
    uint64_t log_from; // steps before the window of both
    struct cx_track tracks[2];
};

// Look for it. Nothing found is no error. The caller frees with cx_divergence_fini() in every case. Blocks: yes.
enum cx_status cx_divergence_find(struct cx_session *session, struct cx_divergence *divergence, struct cx_error *error);
void cx_divergence_fini(struct cx_divergence *divergence);

// The step of run 0 or 1 that differs; NULL if that run had ended before.
const struct cx_step *cx_divergence_step(const struct cx_divergence *divergence, int run);

// The likely source in one line: "time: rdtsc in f (file:line), ...".
void cx_divergence_source(const struct cx_divergence *divergence, const struct cx_session *session, char *text,
                          size_t text_bytes);

// Both for the schedule file `path`, in a session of its own; `source` stays empty where nothing was found.
enum cx_status cx_divergence_tell(const char *path, FILE *stream, char *source, size_t source_bytes,
                                  struct cx_error *error);

// All of it, for people.
void cx_divergence_print(const struct cx_divergence *divergence, const struct cx_session *session, FILE *stream);

#endif
