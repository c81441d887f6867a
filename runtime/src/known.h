// SPDX-License-Identifier: Apache-2.0
//
// known: the usual outermost attach, inline for the sake of its speed: to a main interpreter that the runtime has met,
// on a thread that is not attached. What it can't do at once it leaves to backend.h. Private to runtime/src.
#ifndef PYRT_SRC_KNOWN_H
#define PYRT_SRC_KNOWN_H

#include <Python.h>

#include "backend.h"
#include "record.h"
#include "thread.h"

#if PY_VERSION_HEX < 0x030F0000

// On a thread that has a thread state of it: what PyGILState_Ensure would do, without asking twice.
// Requires: `record` is bound. What is then attached, with a use of `record` taken, or NULL.
static inline void *pyrt__known_enter(struct pyrt_pool *record, void **token)
{
    if (PyThreadState_GetUnchecked() != NULL || pyrt__use_take(record) != PYRT_OK) {
        return NULL;
    }
    // Only now: finalization deletes the key under which CPython keeps this.
    PyThreadState *bound = PyGILState_GetThisThreadState();
    if (bound == NULL || bound->interp != record->interp) {
        pyrt__use_drop(record);
        return NULL;
    }
    pyrt__backend_resume(bound);
    *token = bound;
    return bound;
}

// 0, and nothing has happened, if another thread state than `tstate` is attached. That is noticed afterwards, by what
// was detached.
static inline int pyrt__known_leave(void *tstate, void *token)
{
    (void)token;
    PyThreadState *left = PyThreadState_Swap(NULL);
    if (left != tstate) {
        pyrt__backend_swap(left);
        return 0;
    }
    return 1;
}

#define PYRT__KNOWN_USES 1 // uses of the record that an attach takes

#else

// The view of the main interpreter, made at the first attach of any thread and kept. It is a few bytes and names the
// interpreter by number, so that it outlives every finalization.
extern PyInterpreterView *_Atomic pyrt__main_view; // atomic

static inline void *pyrt__known_enter(struct pyrt_pool *record, void **token)
{
    // Acquire pairs with the release of main_view_get() in backend_guard.c: its content is seen.
    PyInterpreterView *view = atomic_load_explicit(&pyrt__main_view, memory_order_acquire);
    if (view == NULL || PyThreadState_GetUnchecked() != NULL) {
        return NULL;
    }
    *token = PyThreadState_EnsureFromView(view);
    if (*token == NULL) {
        return NULL;
    }
    if (pyrt__record_gone(record)) {
        // The main interpreter is a later one, which the runtime has not met.
        PyThreadState_Release(*token);
        *token = NULL;
        return NULL;
    }
    return PyThreadState_GetUnchecked();
}

static inline int pyrt__known_leave(void *tstate, void *token)
{
    if (PyThreadState_GetUnchecked() != tstate) {
        return 0;
    }
    PyThreadState_Release(token);
    return 1;
}

#define PYRT__KNOWN_USES 0 // CPython's guard is the door

#endif

#endif
