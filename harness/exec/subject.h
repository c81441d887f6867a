// SPDX-License-Identifier: Apache-2.0
//
// subject: what is run instead of a target's scenarios: a program, or a Python script or module on a target.
//
// It owns the command line, the folder and the environment of the subject, and the checks that it can be run at all. A
// schedule file carries all of it, with a sum of the file that was run, so that a replay starts the same thing or
// refuses.
#ifndef CX_EXEC_SUBJECT_H
#define CX_EXEC_SUBJECT_H

#include <limits.h>
#include <stdint.h>

#include "harness/exec/channel.h"
#include "harness/names.h"
#include "harness/status.h"
#include "harness/trace/schedule.h"

// Zeroed memory is a valid, empty subject: scenarios.
struct cx_subject {
    uint32_t kind; // enum cx_subject_kind
    int from_start;
    int follow_forks;            // processes that it forks are followed
    struct cx_names words;       // the command line; [0] is the program, the script or the module
    struct cx_names environment; // NAME=VALUE, beside the few that every runner has
    char directory[PATH_MAX];    // where it runs
    char path[PATH_MAX];         // of the file that is run, absolute; empty for a module
    char name[64];               // takes the place of a scenario's name
    char target[64];             // that its runner belongs to
    uint64_t digest;             // of the file's bytes; 0 for a module
};

// Prepare and check a subject whose kind, words, switches and environment are set; `directory` is this process's if
// it is empty. `target` is the Python target of a script or module, else NULL. CX_ERR_USAGE with the reason if it
// cannot be run.
enum cx_status cx_subject_open(struct cx_subject *subject, const char *target, struct cx_error *error);
void cx_subject_fini(struct cx_subject *subject);

// The file that is executed for it, absolute: the program, or the target's runner.
enum cx_status cx_subject_runner(const struct cx_subject *subject, char path[PATH_MAX], struct cx_error *error);

// What the runner reads before it starts.
void cx_subject_describe(const struct cx_subject *subject, struct cx_subject_info *info);

// Into the lines of a schedule file, and back. A file of no subject leaves `subject` empty. Coming back, the file that
// is run must have its old sum, unless `force`.
void cx_subject_save(const struct cx_subject *subject, struct cx_schedule *schedule);
enum cx_status cx_subject_restore(struct cx_subject *subject, const struct cx_schedule *schedule, const char *path,
                                  int force, struct cx_error *error);

// Words as one line: blanks, control characters and '%' become %XX, an empty word "%", no word "-"; and back: 0, or -1
// for what is no such line.
void cx_subject_words_encode(const struct cx_names *words, char *text, size_t text_bytes);
int cx_subject_words_decode(const char *text, struct cx_names *words);

// The command line as a shell would take it.
void cx_subject_command_text(const struct cx_subject *subject, char *text, size_t text_bytes);

// How a person tells constrictor to explore it: the words before options ("run --subject ./race"), and those after them
// (" -- 4").
void cx_subject_invocation_text(const struct cx_subject *subject, char *before, size_t before_bytes, char *after,
                                size_t after_bytes);

#endif
