// SPDX-License-Identifier: Apache-2.0
//
// session: one schedule file, the runner that it belongs to, and the means to play it again.
//
// What replay, shrink and explain have in common. A file of another build is refused unless forced: its points are
// counted in another program.
#ifndef CX_EXEC_SESSION_H
#define CX_EXEC_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include "harness/detect/signature.h"
#include "harness/detect/symbolizer.h"
#include "harness/exec/crew.h"
#include "harness/exec/subject.h"
#include "harness/trace/schedule.h"

// Zeroed memory is valid to close.
struct cx_session {
    struct cx_schedule schedule;
    struct cx_subject subject; // that it runs; empty for a scenario
    struct cx_points points;   // of the file
    char signature_id[13];     // that the file promises; empty: none
    struct cx_crew crew;       // of one
    struct cx_worker *worker;  // borrowed from the crew
    struct cx_scenario_info info;
    uint32_t scenario;
    struct cx_symbolizer *symbolizer;
    struct cx_symbolizer_view view;
    struct cx_resolver resolver;
    struct cx_symptoms symptoms; // of the last run
    uint32_t restarts;
};

// Read the file, start its target's runner and find its scenario. The caller closes in every case.
enum cx_status cx_session_open(struct cx_session *session, const char *path, int force, struct cx_error *error);
void cx_session_close(struct cx_session *session);

// Play a plan; `mode` is a set of enum cx_mode bits. The result is cx_worker_result(session->worker), its symptoms are
// in session->symptoms. A runner that is killed from outside is replaced, and the plan played again.
// CX_ERR_INTERRUPTED: Ctrl-C. Blocks: yes.
enum cx_status cx_session_play(struct cx_session *session, const struct cx_deviation *plan, size_t plan_count,
                               uint32_t mode, struct cx_error *error);

// Play any request of this file's scenario; `plan` has request->plan_count entries.
enum cx_status cx_session_request(struct cx_session *session, const struct cx_request *wanted,
                                  const struct cx_deviation *plan, struct cx_error *error);

// A run that is drawn.
struct cx_sample {
    uint64_t number;   // which
    uint32_t strategy; // enum cx_strategy_kind
    uint32_t depth;    // of pct: how many change points plus one
    struct cx_rules rules;
    const struct cx_window *window; // where it may preempt; NULL: anywhere
    uint64_t choices_expected;
    const struct cx_deviation *numbers; // that main gets where it draws some; 0 for those that are not there
    uint32_t numbers_count;
};

// The same for such a run.
enum cx_status cx_session_sample(struct cx_session *session, const struct cx_sample *sample, struct cx_error *error);

// 1 if the last run showed the file's own signature.
int cx_session_same(const struct cx_session *session);

// The last run in one line: its signature, "pass", or how it left the schedule.
void cx_session_outcome_text(const struct cx_session *session, char *text, size_t text_bytes);

#endif
