// SPDX-License-Identifier: Apache-2.0
//
// pyrt/detach: leave the interpreter for a while, and come back.
//
// A thread that blocks outside Python (a native join, a lock, a system call) must not keep its thread state attached:
// with the GIL nobody else could run, without it nobody could stop the world. A detach suspends all attaches of the
// thread at once, however deeply they nest, and its end restores them.
//
//     struct pyrt_detach detach = {0};
//     pyrt_detach_begin(&detach);
//     pthread_join(worker, NULL);
//     pyrt_detach_end(&detach);
//
// The thread counts as attached only after CPython has let it in again. If finalization parks it on the way, then
// nothing that runs on it meanwhile, such as the destructor of a thread-local variable, takes it for attached.
#ifndef PYRT_DETACH_H
#define PYRT_DETACH_H

#include <stdint.h>

#include "pyrt/status.h"

#ifdef __cplusplus
extern "C" {
#endif

// One detach. Zero it, then leave its fields alone.
struct pyrt_detach {
    uint64_t thread; // the thread that began it; owner thread only
    uint64_t serial; // number of the scope on its thread, 0 when it is not live; owner thread only
    uint64_t outer;  // the scope around it; owner thread only
    uint32_t count;  // attaches that it suspends; owner thread only
    void *tstate;    // the suspended thread state; owner thread only
    void *pool;      // the suspended interpreter's record; owner thread only
};

// Detach the thread.
// Requires: `detach` zeroed, or ended.
// Thread state: attached through pyrt_attach*. Blocks: no. May run Python: no.
// Pointers: `detach` stays the caller's.
// Returns: PYRT_OK, FORBIDDEN, NOT_ATTACHED, ALREADY_LIVE, INVALID.
// Source: PyO3 `Python::detach`; `PyEval_SaveThread`.
enum pyrt_status pyrt_detach_begin(struct pyrt_detach *detach);

// Attach the suspended thread state again, restore the count, drain the pool. Finalization waits for attaches that are
// suspended, unless they were assumed ones: then the thread may come too late, and is parked for ever here (gh-87135).
// Thread state: detached by `detach`. Blocks: until the interpreter lets the thread in. May run Python: yes.
// Pointers: `detach` stays the caller's.
// Returns: PYRT_OK, NOT_LIVE (also: ended twice), WRONG_THREAD, OUT_OF_ORDER, INVALID, FORKED; MISMATCH: other code has
// attached the thread meanwhile; GONE: the interpreter has ended, the thread stays detached, and the attaches around
// can only be released.
// Source: PyO3 `SuspendAttach` (#6404); `PyEval_RestoreThread`.
enum pyrt_status pyrt_detach_end(struct pyrt_detach *detach);

#ifdef __cplusplus
}
#endif

#endif
