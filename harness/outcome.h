// SPDX-License-Identifier: Apache-2.0
//
// outcome: what can come of one run, as one list.
//
// The enum, the names in JSON lines and schedule files, and the sentences that people read all come from
// CX_OUTCOME_MAP, so that they cannot drift apart. The same holds for operations (CX_OP_MAP), the vocabulary of
// step logs, wait-for graphs and stories.
#ifndef CX_OUTCOME_H
#define CX_OUTCOME_H

#include <stdint.h>

// X(enumerator, name, sentence)
#define CX_OUTCOME_MAP(X)                                                                                              \
    X(CX_OUTCOME_PASS, "pass", "the run ended and every invariant held")                                               \
    X(CX_OUTCOME_CRASH, "crash", "a thread received a fatal signal")                                                   \
    X(CX_OUTCOME_FATAL, "fatal", "CPython stopped itself with a fatal error")                                          \
    X(CX_OUTCOME_ASSERT, "assertion", "an assertion of the program failed")                                            \
    X(CX_OUTCOME_RACE, "race", "ThreadSanitizer reported a data race")                                                 \
    X(CX_OUTCOME_DEADLOCK, "deadlock", "no thread can ever run again")                                                 \
    X(CX_OUTCOME_LIVELOCK, "livelock", "the step bound passed and no end was in sight")                                \
    X(CX_OUTCOME_HANG, "hang", "nothing happened for longer than the real-time limit")                                 \
    X(CX_OUTCOME_INVARIANT, "invariant", "a check of the scenario failed")                                             \
    X(CX_OUTCOME_DRIFT, "drift", "references or objects were left behind, or dropped once too often")                  \
    X(CX_OUTCOME_LEAK, "leak", "memory without objects was left behind")                                               \
    X(CX_OUTCOME_EXIT, "exit", "the program left with an error, or before its scenario ended")                         \
    X(CX_OUTCOME_DIVERGED, "diverged", "a replay did not follow its schedule")                                         \
    X(CX_OUTCOME_SKIP, "skip", "the scenario does not apply here")                                                     \
    X(CX_OUTCOME_ERROR, "harness-error", "the harness itself failed")

#define CX_OUTCOME_ENUM(enumerator, name, sentence) enumerator,
enum cx_outcome { CX_OUTCOME_MAP(CX_OUTCOME_ENUM) CX_OUTCOME_COUNT };
#undef CX_OUTCOME_ENUM

// X(enumerator, name): the operation that a thread is about to perform at a point.
#define CX_OP_MAP(X)                                                                                                   \
    X(CX_OP_NONE, "none")                                                                                              \
    X(CX_OP_POINT, "point")                                                                                            \
    X(CX_OP_AFTER, "after-operation")                                                                                  \
    X(CX_OP_LOAD, "load")                                                                                              \
    X(CX_OP_STORE, "store")                                                                                            \
    X(CX_OP_RMW, "read-modify-write")                                                                                  \
    X(CX_OP_CAS, "compare-exchange")                                                                                   \
    X(CX_OP_READ, "read")                                                                                              \
    X(CX_OP_WRITE, "write")                                                                                            \
    X(CX_OP_FENCE, "fence")                                                                                            \
    X(CX_OP_THREAD_CREATE, "thread-create")                                                                            \
    X(CX_OP_THREAD_START, "thread-start")                                                                              \
    X(CX_OP_THREAD_EXIT, "thread-exit")                                                                                \
    X(CX_OP_THREAD_JOIN, "thread-join")                                                                                \
    X(CX_OP_THREAD_DETACH, "thread-detach")                                                                            \
    X(CX_OP_MUTEX_LOCK, "mutex-lock")                                                                                  \
    X(CX_OP_MUTEX_TRYLOCK, "mutex-trylock")                                                                            \
    X(CX_OP_MUTEX_UNLOCK, "mutex-unlock")                                                                              \
    X(CX_OP_COND_WAIT, "cond-wait")                                                                                    \
    X(CX_OP_COND_SIGNAL, "cond-signal")                                                                                \
    X(CX_OP_COND_BROADCAST, "cond-broadcast")                                                                          \
    X(CX_OP_RWLOCK_RDLOCK, "rwlock-rdlock")                                                                            \
    X(CX_OP_RWLOCK_WRLOCK, "rwlock-wrlock")                                                                            \
    X(CX_OP_RWLOCK_UNLOCK, "rwlock-unlock")                                                                            \
    X(CX_OP_BARRIER_WAIT, "barrier-wait")                                                                              \
    X(CX_OP_ONCE, "once")                                                                                              \
    X(CX_OP_SPIN_LOCK, "spin-lock")                                                                                    \
    X(CX_OP_SPIN_UNLOCK, "spin-unlock")                                                                                \
    X(CX_OP_SEM_WAIT, "sem-wait")                                                                                      \
    X(CX_OP_SEM_TRYWAIT, "sem-trywait")                                                                                \
    X(CX_OP_SEM_POST, "sem-post")                                                                                      \
    X(CX_OP_YIELD, "yield")                                                                                            \
    X(CX_OP_SLEEP, "sleep")                                                                                            \
    X(CX_OP_PAUSE, "pause")                                                                                            \
    X(CX_OP_POLL, "poll")                                                                                              \
    X(CX_OP_IO, "input-output")                                                                                        \
    X(CX_OP_FUTEX_WAIT, "futex-wait")                                                                                  \
    X(CX_OP_FUTEX_WAKE, "futex-wake")                                                                                  \
    X(CX_OP_SIGNAL, "signal")                                                                                          \
    X(CX_OP_SIGNAL_WAIT, "signal-wait")                                                                                \
    X(CX_OP_FORK, "fork")                                                                                              \
    X(CX_OP_SPIN, "spin")                                                                                              \
    X(CX_OP_ACTORS, "wait-for-actors")                                                                                 \
    X(CX_OP_CHOOSE, "choose")                                                                                          \
    X(CX_OP_NOTE, "note")                                                                                              \
    X(CX_OP_END, "end")

#define CX_OP_ENUM(enumerator, name) enumerator,
enum cx_op { CX_OP_MAP(CX_OP_ENUM) CX_OP_COUNT };
#undef CX_OP_ENUM

// Stable name of an outcome ("deadlock") and the sentence that goes with it. Borrowed, static; "?" when out of range.
const char *cx_outcome_name(enum cx_outcome outcome);
const char *cx_outcome_sentence(enum cx_outcome outcome);

// Stable name of an operation ("mutex-lock"). Borrowed, static; "?" when out of range.
const char *cx_op_name(enum cx_op op);

// The operation with this name, or -1.
int cx_op_from_name(const char *name);

// True if operations `a` and `b` on one object would do something else in the other order.
// Requires: both are below CX_OP_COUNT.
int cx_conflicting(uint8_t a, uint8_t b);

// True for the outcomes that are findings about the program under test.
int cx_outcome_is_finding(enum cx_outcome outcome);

#endif
