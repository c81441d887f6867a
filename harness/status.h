// SPDX-License-Identifier: Apache-2.0
//
// status: how a function of the command says that it failed.
//
// One enum for the whole command, 0 for success, with its names, sentences and exit codes from one map; and an error
// text that the lowest function that knows the reason writes and the command prints as one line. Findings are no
// errors: they travel as enum cx_outcome.
#ifndef CX_STATUS_H
#define CX_STATUS_H

// Exit codes of the command. Documented in README and `constrictor --help`.
enum cx_exit {
    CX_EXIT_OK = 0,            // nothing unexpected
    CX_EXIT_FINDINGS = 1,      // unexpected findings, or an expected one that stayed away
    CX_EXIT_USAGE = 2,         // the command line or an input file is wrong
    CX_EXIT_ENVIRONMENT = 3,   // target missing, preflight failed, runner lost
    CX_EXIT_NOTHING = 4,       // nothing ran, or nothing was explored
    CX_EXIT_INVALID = 5,       // of a soak: a canary was not found
    CX_EXIT_INTERRUPTED = 130, // Ctrl-C
};

// X(enumerator, value, name, exit code, sentence)
#define CX_STATUS_MAP(X)                                                                                               \
    X(CX_OK, 0, "ok", CX_EXIT_OK, "success")                                                                           \
    X(CX_ERR_MEMORY, -1, "memory", CX_EXIT_ENVIRONMENT, "out of memory")                                               \
    X(CX_ERR_SYSTEM, -2, "system", CX_EXIT_ENVIRONMENT, "the operating system refused")                                \
    X(CX_ERR_USAGE, -3, "usage", CX_EXIT_USAGE, "the command line is wrong")                                           \
    X(CX_ERR_FORMAT, -4, "format", CX_EXIT_USAGE, "an input file is malformed")                                        \
    X(CX_ERR_TRUNCATED, -5, "truncated", CX_EXIT_USAGE, "an input file is cut off")                                    \
    X(CX_ERR_ENVIRONMENT, -6, "environment", CX_EXIT_ENVIRONMENT, "something that is needed is missing")               \
    X(CX_ERR_RUNNER, -7, "runner", CX_EXIT_ENVIRONMENT, "the runner ended or does not answer")                         \
    X(CX_ERR_MISMATCH, -8, "mismatch", CX_EXIT_ENVIRONMENT, "the file was made with another build")                    \
    X(CX_ERR_INTERRUPTED, -9, "interrupted", CX_EXIT_INTERRUPTED, "interrupted")                                       \
    X(CX_ERR_NOTHING, -10, "nothing", CX_EXIT_NOTHING, "nothing ran")                                                  \
    X(CX_ERR_INVALID, -11, "invalid", CX_EXIT_INVALID, "a canary was not found")

#define CX_STATUS_ENUM(enumerator, value, name, exit_code, sentence) enumerator = value,
enum cx_status { CX_STATUS_MAP(CX_STATUS_ENUM) };
#undef CX_STATUS_ENUM

// The reason of a failure, one line without a newline. Zeroed memory is valid and empty.
struct cx_error {
    char text[600];
};

// Stable name and sentence of a status. Borrowed, static; "?" for a value that is no status.
const char *cx_status_name(enum cx_status status);
const char *cx_status_sentence(enum cx_status status);

// The exit code that a command ends with when it fails like this.
enum cx_exit cx_status_exit(enum cx_status status);

// Write the reason into `error` (may be NULL) and return `status`, so that a failure is one statement.
__attribute__((format(printf, 3, 4))) enum cx_status cx_error_set(struct cx_error *error, enum cx_status status,
                                                                  const char *format, ...);

// The same with ": " and the text of errno at the end; the status is CX_ERR_SYSTEM.
__attribute__((format(printf, 2, 3))) enum cx_status cx_error_system(struct cx_error *error, const char *format, ...);

#endif
