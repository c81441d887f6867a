// SPDX-License-Identifier: Apache-2.0
//
// tstate: thread states that their threads keep. They hold no use of the interpreter while they are not active, so that
// finalization does not wait for them; but pyrt_interp_destroy counts them.
#include <Python.h>

#include "pyrt/activate.h"

#include "activate.h"
#include "backend.h"
#include "record.h"

enum pyrt_status pyrt_tstate_open(struct pyrt_tstate *kept, const struct pyrt_interp *interp)
{
    if (kept == NULL || interp == NULL || interp->record == NULL) {
        return PYRT_INVALID;
    }
    if (kept->record != NULL) {
        return PYRT_ALREADY_LIVE;
    }
    if (pyrt__thread_stranded()) {
        return PYRT_FORKED;
    }
    struct pyrt_pool *record = interp->record;
    void *guard = NULL;
    enum pyrt_status status = pyrt__use_take_surely(record);
    if (status != PYRT_OK) {
        return pyrt__record_gone(record) ? PYRT_GONE : status;
    }
    status = pyrt__backend_guard_new(record, &guard);
    PyThreadState *tstate = status == PYRT_OK ? PyThreadState_New(record->interp) : NULL;
    if (tstate != NULL) {
        pyrt__record_ref(record);
        atomic_fetch_add_explicit(&record->kept, 1, memory_order_relaxed);
        *kept = (struct pyrt_tstate){.thread = pyrt__thread_self()->id, .record = record, .tstate = tstate};
    } else if (status == PYRT_OK) {
        status = PYRT_NO_MEMORY;
    }
    pyrt__backend_guard_close(guard);
    pyrt__use_drop(record);
    return status;
}

enum pyrt_status pyrt_tstate_close(struct pyrt_tstate *kept)
{
    if (kept == NULL) {
        return PYRT_INVALID;
    }
    struct pyrt__thread *self = pyrt__thread_self();
    struct pyrt_pool *record = kept->record;
    if (record == NULL) {
        return PYRT_NOT_LIVE;
    }
    if (kept->thread != self->id) {
        return PYRT_WRONG_THREAD;
    }
    if (self->forbidden > 0) {
        return PYRT_FORBIDDEN;
    }
    // An attach, or CPython's own PyGILState_Ensure, takes the state that its thread used last, which may be this one.
    if (kept->active || PyThreadState_GetUnchecked() == kept->tstate) {
        return PYRT_BUSY;
    }
    if (pyrt__thread_stranded()) {
        return PYRT_FORKED;
    }
    void *guard = NULL;
    enum pyrt_status status = pyrt__use_take_surely(record);
    if (status == PYRT_OK) {
        status = pyrt__backend_guard_new(record, &guard);
        struct pyrt__frame frame = pyrt__frame_save(self);
        void *previous = NULL;
        if (status == PYRT_OK) {
            previous = pyrt__backend_swap(kept->tstate);
            pyrt__activate_dispose(kept->tstate);
        }
        pyrt__backend_guard_close(guard);
        pyrt__use_drop(record);
        if (status == PYRT_OK) {
            pyrt__backend_swap(previous); // last: who comes back late is parked in there
            pyrt__frame_restore(self, frame);
        }
    }
    if (status != PYRT_OK && pyrt__record_gone(record)) {
        status = PYRT_GONE;
    }
    *kept = (struct pyrt_tstate){0};
    atomic_fetch_sub_explicit(&record->kept, 1, memory_order_relaxed);
    pyrt__record_unref(record);
    return status;
}
