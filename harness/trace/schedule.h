// SPDX-License-Identifier: Apache-2.0
//
// schedule: one schedule in memory, and its way to a file and back. format.h describes the file.
//
// Threads are keys here (channel.h), paths in the file. A table of paths goes along with the schedule so that writing
// it again does not lose them.
#ifndef CX_TRACE_SCHEDULE_H
#define CX_TRACE_SCHEDULE_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/exec/channel.h"
#include "harness/status.h"

#define CX_SCHEDULE_COMMAND_BYTES 8192
#define CX_SCHEDULE_RANGES_BYTES 41000

struct cx_thread_path {
    uint32_t key;
    char path[48];
};

// The functions in which preemptions suffice, as it was measured. Zeroed memory: not known.
struct cx_schedule_window {
    char functions[1700];
    uint64_t runs;
    uint64_t inside; // at least 1
    uint64_t outside;
    uint64_t anywhere;
};

// Zeroed memory is a valid, empty schedule.
struct cx_schedule {
    char scenario[64];
    char target[64];
    char build_id[48];
    char strategy[32];
    char outcome[32];
    char signature[1000];
    uint64_t depth;
    uint64_t seed;
    uint64_t run;
    uint64_t steps_max;
    uint64_t steps;
    uint64_t fingerprint;
    uint64_t deviations_count;
    struct cx_schedule_window window;
    char points[16];   // empty: those of --points atomic, and a file of version 1 or 2
    char within[1024]; // these are harness/exec/within.h's
    char ranges[CX_SCHEDULE_RANGES_BYTES];
    char subject[32];         // empty: a scenario, and a file of version 1
    char directory[PATH_MAX]; // these are harness/exec/subject.h's
    char command[CX_SCHEDULE_COMMAND_BYTES];
    char environment[CX_SCHEDULE_COMMAND_BYTES];
    uint64_t digest;
    struct cx_deviation *deviations; // owned
    struct cx_thread_path *paths;    // owned; sorted by nothing, a handful
    size_t paths_count;
};

// Free what a schedule owns and make it empty.
void cx_schedule_fini(struct cx_schedule *schedule);

// Replace the deviations by a copy of these.
enum cx_status cx_schedule_deviations_set(struct cx_schedule *schedule, const struct cx_deviation *deviations,
                                          size_t count, struct cx_error *error);

// Remember the path of a key; a path whose key is another, or that is known, is ignored.
enum cx_status cx_schedule_path_add(struct cx_schedule *schedule, const char *path, struct cx_error *error);

// The path of a key, or "#" and its digits written into `fallback`.
const char *cx_schedule_path(const struct cx_schedule *schedule, uint32_t key, char fallback[16]);

// How many deviations are preemptions.
size_t cx_schedule_preemptions(const struct cx_deviation *deviations, size_t count);

// One deviation as its line in the file, without the newline.
void cx_schedule_deviation_text(const struct cx_schedule *schedule, const struct cx_deviation *deviation, char *text,
                                size_t text_bytes);

// The whole file as one text. The caller frees `*text` with free().
enum cx_status cx_schedule_format(const struct cx_schedule *schedule, char **text, size_t *text_bytes,
                                  struct cx_error *error);

// Write the file: complete under its name, or not at all.
enum cx_status cx_schedule_write(const struct cx_schedule *schedule, const char *path, struct cx_error *error);

// Read a file's bytes. Any bytes: what is no schedule is refused with the line and the reason, and `schedule` is empty
// then. The caller frees with cx_schedule_fini().
enum cx_status cx_schedule_parse(struct cx_schedule *schedule, const char *text, size_t text_bytes,
                                 struct cx_error *error);

// The bytes of a schedule file, with a 0 behind them, whatever they are. The caller frees `*text` with free().
enum cx_status cx_schedule_file(const char *path, char **text, size_t *text_bytes, struct cx_error *error);

// Read a schedule from a file; the reason begins with its name.
enum cx_status cx_schedule_read(struct cx_schedule *schedule, const char *path, struct cx_error *error);

#endif
