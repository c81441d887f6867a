// SPDX-License-Identifier: Apache-2.0
//
// pyrt/pool: drop a reference from any thread.
//
// A native object that owns a Python reference can die anywhere: on a thread that is detached or unknown to CPython,
// or inside tp_traverse. The pool takes the reference in every case. Where the thread is attached through the runtime
// it is dropped at once. Elsewhere it is queued, and dropped by whichever thread attaches or resumes next.
//
//     static void node_free(struct node *node)        // called on any thread
//     {
//         pyrt_pool_decref(node->callback);
//         free(node);
//     }
//
// Every interpreter has a pool of its own, because an object may only be touched inside the interpreter that made it.
// Without further words the main interpreter's is meant; code that lives in others keeps a handle:
//
//     node->pool = pyrt_pool_open();                  // attached, where the callback is made
//     pyrt_pool_decref_in(node->pool, node->callback);
//     pyrt_pool_close(node->pool);
//
// Only decrements are deferred. A deferred increment would come too late for an object whose last other reference is
// dropped meanwhile, so there is none. What is queued when its interpreter ends is counted as dropped and never touched
// again, and so is what is given to the pool of an interpreter that has ended. After a second Py_Initialize the words
// "main interpreter" mean the new one: an object that survives its interpreter must be dropped through a handle.
#ifndef PYRT_POOL_H
#define PYRT_POOL_H

#include <Python.h>

#include <stdint.h>

#include "pyrt/status.h"

#ifdef __cplusplus
extern "C" {
#endif

// One interpreter's pool.
struct pyrt_pool;

// What becomes of a reference that can't be dropped at once.
enum pyrt_pool_policy {
    PYRT_POOL_QUEUE = 0, // it waits for the next attach or resume
    PYRT_POOL_ABORT,     // the process ends, named: such a drop is a bug of this program
    PYRT_POOL_LEAK,      // it is given up and counted: no drop may ever run somewhere else
};

// Totals. `queued - drained - dropped` references are waiting, or in the hands of a drain.
struct pyrt_pool_stats {
    uint64_t immediate; // dropped at once, by attaches that have ended or are the caller's; const after init
    uint64_t queued;    // put in a queue; const after init
    uint64_t drained;   // taken from a queue and dropped; const after init
    uint64_t dropped;   // given up because the interpreter had ended; const after init
    uint64_t leaked;    // given up for want of memory, or by PYRT_POOL_LEAK; const after init
    uint64_t peak;      // most that a drain, the end or a reader found waiting in one queue; const after init
};

// Drop one reference to `object` of the main interpreter. `object` is stolen; NULL is allowed and nothing.
// Thread state: either. Blocks: no, but for destructors. May run Python: yes if attached, no otherwise.
// Pointers: `object` is stolen in every case, also on an error; NULL is allowed and nothing.
// Returns: PYRT_OK; FINALIZING: given up, the interpreter is gone; NO_MEMORY: it could not be queued and is leaked.
// Source: PyO3 `ReferencePool`; `Py_DECREF`.
enum pyrt_status pyrt_pool_decref(PyObject *object);

// The same for an object of the interpreter whose pool `pool` is. NULL is the main interpreter's.
// Thread state: either. Blocks: no, but for destructors. May run Python: yes if attached there, no otherwise.
// Pointers: `pool` is borrowed; `object` is stolen in every case, also on an error; NULL is allowed and nothing.
// Returns: PYRT_OK, FINALIZING, NO_MEMORY.
// Source: own; PyO3 has one pool for all interpreters (#576).
enum pyrt_status pyrt_pool_decref_in(struct pyrt_pool *pool, PyObject *object);

// The pool of the interpreter that this thread is attached to; NULL if there is none, or no memory. It may be kept for
// ever, also beyond its interpreter. Caller frees with pyrt_pool_close.
// Thread state: attached through pyrt. Blocks: no. May run Python: no.
// Pointers: the result: the caller frees with pyrt_pool_close, on any thread.
// Returns: the pool, or NULL.
// Source: own.
struct pyrt_pool *pyrt_pool_open(void);

// Give a handle back. What it has queued stays queued. NULL is allowed.
// Thread state: either. Blocks: no. May run Python: no.
// Pointers: `pool` is stolen.
// Returns: nothing; it cannot fail.
// Source: own.
void pyrt_pool_close(struct pyrt_pool *pool);

// Set the policy, for the whole process; what is queued stays so.
// Thread state: either. Blocks: no. May run Python: no.
// Returns: nothing; it cannot fail.
// Source: PyO3's build options `pyo3_disable_reference_pool` and `pyo3_leak_on_drop_without_reference_pool`.
void pyrt_pool_set_policy(enum pyrt_pool_policy policy);

// Drop what is queued. Attach and resume do this by themselves. A destructor that comes here again, directly or by
// attaching, returns at once, and the drain that it runs under goes on with what has been queued since.
// Thread state: attached through pyrt_attach*. Blocks: no, but for destructors. May run Python: yes.
// Returns: PYRT_OK, NOT_ATTACHED, FORBIDDEN.
// Source: PyO3 `ReferencePool`, its `drop_deferred_references`.
enum pyrt_status pyrt_pool_drain(void);

// Read the totals of the process; each is exact, all together are not a snapshot. `stats` is filled in.
// Thread state: either. Blocks: no. May run Python: no.
// Pointers: `stats` is filled in, not NULL.
// Returns: nothing; it cannot fail.
// Source: own.
void pyrt_pool_stats(struct pyrt_pool_stats *stats);

// The totals of one pool, without `immediate`, which is not counted by pool. NULL is the main interpreter's.
// Thread state: either. Blocks: no. May run Python: no.
// Pointers: `pool` is borrowed; `stats` is filled in, not NULL.
// Returns: nothing; it cannot fail.
// Source: own.
void pyrt_pool_stats_in(const struct pyrt_pool *pool, struct pyrt_pool_stats *stats);

#ifdef __cplusplus
}
#endif

#endif
