// SPDX-License-Identifier: Apache-2.0
//
// pyrt/status: what a call of the runtime can answer.
//
// Every fallible function returns an enum pyrt_status: PYRT_OK is zero, all else is negative and means that nothing was
// done; only a scope that ends with PYRT_GONE has ended, and so has an interpreter with PYRT_NOT_FLUSHED. The runtime
// reports no error in any other way, neither by errno, nor by a Python exception, nor by a string. Enum, names and
// sentences are made from PYRT_STATUS_MAP alone.
//
//     struct pyrt_attach attach = {0};
//     enum pyrt_status status = pyrt_attach_try(&attach);
//     if (status != PYRT_OK) {
//         fprintf(stderr, "no Python: %s\n", pyrt_status_text(status));
//     }
#ifndef PYRT_STATUS_H
#define PYRT_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

// All there is to say about each status: X(enumerator, value, name, sentence).
#define PYRT_STATUS_MAP(X)                                                                                             \
    X(PYRT_OK, 0, "ok", "done")                                                                                        \
    X(PYRT_FORBIDDEN, -1, "forbidden", "attaching and detaching are forbidden while tp_traverse runs on this thread")  \
    X(PYRT_NOT_INITIALIZED, -2, "not-initialized", "there is no interpreter: none has been started")                   \
    X(PYRT_FINALIZING, -3, "finalizing", "the interpreter is being finalized, or has been; it lets nobody in")         \
    X(PYRT_NO_MEMORY, -4, "no-memory", "out of memory")                                                                \
    X(PYRT_MISMATCH, -5, "mismatch", "another interpreter's thread state is attached to this thread")                  \
    X(PYRT_NOT_ATTACHED, -6, "not-attached", "this thread has no attached thread state")                               \
    X(PYRT_NOT_LIVE, -7, "not-live", "this scope was never begun, or it has already ended")                            \
    X(PYRT_ALREADY_LIVE, -8, "already-live", "this scope has begun and has not ended")                                 \
    X(PYRT_WRONG_THREAD, -9, "wrong-thread", "this scope was begun by another thread")                                 \
    X(PYRT_OUT_OF_ORDER, -10, "out-of-order", "a scope that was begun later on this thread has not ended")             \
    X(PYRT_INVALID, -11, "invalid", "a required pointer is NULL, or an argument makes no sense")                       \
    X(PYRT_GONE, -12, "gone", "the interpreter that this belongs to has ended")                                        \
    X(PYRT_BUSY, -13, "busy", "the interpreter still has thread states other than the caller's")                       \
    X(PYRT_INIT_FAILED, -14, "init-failed", "the interpreter could not be started")                                    \
    X(PYRT_FORKED, -15, "forked",                                                                                      \
      "this process was forked by a thread that was not attached; Python is unusable here")                            \
    X(PYRT_UNSUPPORTED, -16, "unsupported", "this version of CPython has no such operation")                           \
    X(PYRT_NOT_FLUSHED, -17, "not-flushed", "the interpreter has ended, but not all of its output could be written")

// What a call can answer.
#define PYRT_STATUS_ENUM(enumerator, value, name, sentence) enumerator = value,
enum pyrt_status { PYRT_STATUS_MAP(PYRT_STATUS_ENUM) };
#undef PYRT_STATUS_ENUM

// Stable name of a status ("finalizing"). Borrowed, static; "?" when there is no such status.
// Thread state: either. Blocks: no. May run Python: no.
// Pointers: the result is borrowed, static.
// Returns: the name, never NULL.
// Source: own; an X-macro as libuv's `UV_ERRNO_MAP`.
const char *pyrt_status_name(enum pyrt_status status);

// The sentence for a status. Borrowed, static; "?" when there is no such status.
// Thread state: either. Blocks: no. May run Python: no.
// Pointers: the result is borrowed, static.
// Returns: the sentence, never NULL.
// Source: own; an X-macro as libuv's `UV_ERRNO_MAP`.
const char *pyrt_status_text(enum pyrt_status status);

#ifdef __cplusplus
}
#endif

#endif
