// SPDX-License-Identifier: Apache-2.0
//
// pyrt/forbid: mark that tp_traverse runs on this thread.
//
// While the garbage collector traverses, the world may be stopped and reference counts are being compared: attaching
// or detaching would deadlock or let others in, and dropping a reference would falsify the comparison. Inside a forbid
// both are refused with PYRT_FORBIDDEN, and pyrt_pool_decref defers. Forbids nest, also inside an attach.
//
//     static int node_traverse(PyObject *self, visitproc visit, void *arg)
//     {
//         struct pyrt_forbid forbid = {0};
//         pyrt_forbid_begin(&forbid);
//         int result = foreign_traverse(self, visit, arg); // code that does not know where it is called from
//         pyrt_forbid_end(&forbid);
//         return result;
//     }
#ifndef PYRT_FORBID_H
#define PYRT_FORBID_H

#include <stdint.h>

#include "pyrt/status.h"

#ifdef __cplusplus
extern "C" {
#endif

// One forbid. Zero it, then leave its fields alone.
struct pyrt_forbid {
    uint64_t thread; // the thread that began it; owner thread only
    uint64_t serial; // number of the scope on its thread, 0 when it is not live; owner thread only
    uint64_t outer;  // the scope around it; owner thread only
};

// Forbid attaching and detaching on this thread.
// Requires: `forbid` zeroed, or ended.
// Thread state: either. Blocks: no. May run Python: no.
// Pointers: `forbid` stays the caller's.
// Returns: PYRT_OK, ALREADY_LIVE, INVALID.
// Source: PyO3 `ForbidAttaching`.
enum pyrt_status pyrt_forbid_begin(struct pyrt_forbid *forbid);

// End a forbid. What was deferred inside is drained later, at the next attach or resume, never here.
// Thread state: either. Blocks: no. May run Python: no.
// Pointers: `forbid` stays the caller's.
// Returns: PYRT_OK, NOT_LIVE, WRONG_THREAD, OUT_OF_ORDER, INVALID.
// Source: PyO3 `ForbidAttaching`.
enum pyrt_status pyrt_forbid_end(struct pyrt_forbid *forbid);

// True inside a forbid of this thread.
// Thread state: either. Blocks: no. May run Python: no.
// Returns: 1 or 0.
// Source: own; PyO3 keeps it in its attach count.
int pyrt_in_traverse(void);

#ifdef __cplusplus
}
#endif

#endif
