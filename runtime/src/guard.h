// SPDX-License-Identifier: Apache-2.0
//
// guard: what guards and views are, and what each version does for guard.c. Private to runtime/src.
//
// Two files define these functions, and the version of CPython decides which of them has a content: guard_own.c for
// 3.13 and 3.14, guard_native.c from 3.15 on.
#ifndef PYRT_SRC_GUARD_H
#define PYRT_SRC_GUARD_H

#include <Python.h>

#include "pyrt/guard.h"
#include "record.h"

struct pyrt_guard {
    void *native;             // const after init; 3.15: CPython's
    struct pyrt_pool *record; // const after init; counts it; NULL: the runtime had not met the interpreter (3.15)
    uint64_t counts;          // owner thread only: as what, PYRT__GUARD or PYRT__GUARD_PASSING
};

struct pyrt_view {
    void *native;             // const after init; 3.15: CPython's
    struct pyrt_pool *record; // const after init; NULL: the main interpreter's, at the time of use
};

// Take what holds the interpreter: the attached one, whose record is `record`, or the one that `view` names.
// `native` and `record` are what the guard is to have.
// Thread state: attached. Blocks: no. May run Python: no. PYRT_OK, FINALIZING, NO_MEMORY, GONE.
enum pyrt_status pyrt__guard_take_current(struct pyrt_pool *record, void **native);
// Thread state: either. Blocks: no. May run Python: no. PYRT_OK, NOT_INITIALIZED, FINALIZING, NO_MEMORY, GONE.
enum pyrt_status pyrt__guard_take(const struct pyrt_view *view, void **native, struct pyrt_pool **record);

// Give it back; the interpreter may end from then on. Thread state: either. Blocks: no. May run Python: no.
void pyrt__guard_give_back(void *native, struct pyrt_pool *record);

#endif
