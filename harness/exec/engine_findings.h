// SPDX-License-Identifier: Apache-2.0
//
// engine_findings: what the processes of a fuzz target have filed, each told once.
#ifndef CX_EXEC_ENGINE_FINDINGS_H
#define CX_EXEC_ENGINE_FINDINGS_H

#include <stdint.h>

#include "harness/exec/engine.h"
#include "harness/exec/known.h"
#include "harness/names.h"

// Zeroed memory is valid to end.
struct cx_engine_findings {
    const struct cx_engine_options *options; // borrowed
    struct cx_known known;
    struct cx_names before; // files that were there, with their times
    struct cx_names told;   // files, and first lines of crashes
    struct cx_names unread; // files of findings that nothing explains
    uint64_t unexpected;
    uint64_t runs;
};

enum cx_status cx_engine_findings_begin(struct cx_engine_findings *findings, const struct cx_engine_options *options,
                                        struct cx_error *error);
void cx_engine_findings_end(struct cx_engine_findings *findings);

// Replay and print what is new among the schedule files.
void cx_engine_findings_tell(struct cx_engine_findings *findings);

// A process has ended badly: print what its log says. 1 if that is no finding, but a process that could not work.
int cx_engine_findings_crash(struct cx_engine_findings *findings, const char *log);

// The last line of a log that begins with, or after a prefix has, this text; without it. 1 if there is one.
int cx_engine_log_line(const char *log, const char *text, char line[600]);

#endif
