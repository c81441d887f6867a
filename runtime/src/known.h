// SPDX-License-Identifier: Apache-2.0
//
// known: the usual outermost attach, inline for the sake of its speed: to a main interpreter that the runtime has met,
// on a thread that is not attached. What it can't do at once it leaves to backend.h. Private to runtime/src.
#ifndef PYRT_SRC_KNOWN_H
#define PYRT_SRC_KNOWN_H

#include <Python.h>

#include "backend.h"
#include "record.h"
#include "slot.h"
#include "thread.h"

// On a thread that has a thread state of it: what PyGILState_Ensure would do, without asking twice.
// What is then attached, with a use of `record` taken, or NULL.
static inline PyThreadState *pyrt__known_enter(struct pyrt_pool *record)
{
    if (!pyrt__slot_take(record)) {
        return NULL;
    }
    // Only now: finalization deletes the key under which CPython keeps this. It is the state that was attached last, so
    // that no state is attached if this one is not.
    PyThreadState *bound = PyGILState_GetThisThreadState();
    if (__builtin_expect(bound == NULL || bound->interp != record->interp || bound->_status.active, 0)) {
        pyrt__slot_drop(record);
        return NULL;
    }
    pyrt__backend_resume(bound);
    return bound;
}

#endif
