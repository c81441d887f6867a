// SPDX-License-Identifier: Apache-2.0
//
// backend: the part that is the same for all versions.
#include <Python.h>

#include "backend.h"

#include "record.h"

enum pyrt_status pyrt__backend_main_attached(void)
{
    PyThreadState *tstate = PyThreadState_GetUnchecked();
    if (tstate == NULL) {
        return PYRT_NOT_ATTACHED;
    }
    return PyThreadState_GetInterpreter(tstate) == PyInterpreterState_Main() ? PYRT_OK : PYRT_MISMATCH;
}

void *pyrt__backend_suspend(void)
{
    return PyEval_SaveThread();
}

void pyrt__backend_entered(struct pyrt__entry *entry, struct pyrt_pool *record)
{
    if (entry->used == NULL && pyrt__use_take(record) == PYRT_OK) {
        entry->used = record;
    }
}
