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
// Only decrements are deferred. A deferred increment would come too late for an object whose last other reference is
// dropped meanwhile, so there is none. The pool belongs to the main interpreter: references to objects of another
// interpreter must not be put in. What is still queued when the interpreter ends is never touched again.
#ifndef PYRT_POOL_H
#define PYRT_POOL_H

#include <Python.h>

#include <stdint.h>

#include "pyrt/status.h"

#ifdef __cplusplus
extern "C" {
#endif

// Totals since the start of the process. `queued - drained` references are waiting, or in the hands of a drain.
struct pyrt_pool_stats {
    uint64_t immediate; // dropped at once; const after init
    uint64_t queued;    // put in the queue; const after init
    uint64_t drained;   // taken from the queue and dropped; const after init
    uint64_t leaked;    // given up, for want of memory; const after init
};

// Drop one reference to `object`. `object` is stolen; NULL is allowed and nothing.
// Thread state: either. Blocks: no, but for destructors. May run Python: yes if attached, no otherwise.
// PYRT_OK; NO_MEMORY: the reference could not be queued and is leaked, which is the only safe thing left.
enum pyrt_status pyrt_pool_decref(PyObject *object);

// Drop what is queued. Attach and resume do this by themselves. A destructor that comes here again, directly or by
// attaching, returns at once, and the drain that it runs under goes on with what has been queued since.
// Thread state: attached through pyrt_attach*. Blocks: no, but for destructors. May run Python: yes.
// PYRT_OK, NOT_ATTACHED, FORBIDDEN.
enum pyrt_status pyrt_pool_drain(void);

// Read the totals; each is exact, all four together are not a snapshot. `stats` is filled in.
// Thread state: either. Blocks: no. May run Python: no.
void pyrt_pool_stats(struct pyrt_pool_stats *stats);

#ifdef __cplusplus
}
#endif

#endif
