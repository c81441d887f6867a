// SPDX-License-Identifier: Apache-2.0
//
// engine: what `constrictor fuzz` does: processes of a fuzz target, their findings, their corpus.
//
// The targets (fuzz/) file what they find as schedule files, or as an engine's artifacts. This watches over them: it
// tells how far they are, replays every new finding in a runner of its own, says what is known about it, and at the end
// merges the corpus into the fewest inputs that reach the same.
#ifndef CX_EXEC_ENGINE_H
#define CX_EXEC_ENGINE_H

#include <stdint.h>

#include "harness/status.h"

#define CX_ENGINE_JOBS_MAX 16

struct cx_engine_options {
    const char *name;       // of the fuzz target: "fuzz_lifecycle"
    const char *target;     // CPython build of those that need one
    const char *scenario;   // for fuzz_schedule: this one alone; or NULL
    const char *corpus_dir; // NULL: in out_dir
    const char *out_dir;
    const char *known_path; // NULL: the usual file; "none"
    uint64_t time_ns;
    uint64_t seed;
    uint32_t jobs;
    const char *mode; // of fuzz_lifecycle: "misuse": what the documentation forbids, too; "drift"; or ""
};

// Fuzz, and print the end. Returns the exit code of the command.
enum cx_exit cx_engine_run(const struct cx_engine_options *options);

#endif
