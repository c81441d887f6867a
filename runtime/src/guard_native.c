// SPDX-License-Identifier: Apache-2.0
//
// guard_native: guards, views and ensures from 3.15 on, by CPython's own functions.
//
// CPython's guard is what holds finalization up. A guard of a subinterpreter is a use of its door, too: so that
// pyrt_interp_destroy sees it, and the thread states of its ensures, without a look into CPython's list of them.
#include <Python.h>

#if PY_VERSION_HEX >= 0x030F0000

#include "guard.h"

#include "activate.h"
#include "pool_drain.h"
#include "pyrt/hook.h"
#include "thread.h"

static struct pyrt__scope scope_of(struct pyrt_ensure *ensure)
{
    return (struct pyrt__scope){&ensure->inner.thread, &ensure->inner.serial, &ensure->inner.outer};
}

static enum pyrt_status door_take(struct pyrt_pool *record)
{
    if (record == NULL || record->main) {
        return PYRT_OK;
    }
    enum pyrt_status status = pyrt__use_take_surely(record);
    return status != PYRT_OK && pyrt__record_gone(record) ? PYRT_GONE : status;
}

static void door_drop(struct pyrt_pool *record)
{
    if (record != NULL && !record->main) {
        pyrt__use_drop(record);
    }
}

enum pyrt_status pyrt__guard_take_current(struct pyrt_pool *record, void **native)
{
    enum pyrt_status status = door_take(record);
    if (status != PYRT_OK) {
        return status;
    }
    // An exception of CPython's stands for a refusal, or want of memory.
    PyObject *exception = PyErr_GetRaisedException();
    *native = PyInterpreterGuard_FromCurrent();
    int no_memory = *native == NULL && PyErr_ExceptionMatches(PyExc_MemoryError);
    PyErr_SetRaisedException(exception);
    if (*native != NULL) {
        return PYRT_OK;
    }
    door_drop(record);
    return no_memory ? PYRT_NO_MEMORY : PYRT_FINALIZING;
}

enum pyrt_status pyrt__guard_take(const struct pyrt_view *view, void **native, struct pyrt_pool **record)
{
    if (view->record == NULL && !Py_IsInitialized() && !Py_IsFinalizing()) {
        return PYRT_NOT_INITIALIZED;
    }
    *record = view->record != NULL ? view->record : pyrt__record_main();
    if (!(*record)->bound || pyrt__record_gone(*record)) {
        if (view->record != NULL) {
            return PYRT_GONE; // and its number may be another's by now
        }
        *record = NULL; // CPython answers
    } else if (pyrt__use_awaited(*record)) {
        return PYRT_FINALIZING;
    }
    pyrt_hook_point("guard.taking");
    enum pyrt_status status = door_take(*record);
    if (status != PYRT_OK) {
        return status;
    }
    *native = PyInterpreterGuard_FromView(view->native);
    if (*native == NULL) {
        door_drop(*record);
        return PYRT_FINALIZING;
    }
    return PYRT_OK;
}

void pyrt__guard_give_back(void *native, struct pyrt_pool *record)
{
    PyInterpreterGuard_Close(native);
    door_drop(record);
}

enum pyrt_status pyrt_ensure_begin(struct pyrt_ensure *ensure, struct pyrt_guard *guard)
{
    if (ensure == NULL || guard == NULL) {
        return PYRT_INVALID;
    }
    struct pyrt__thread *self = pyrt__thread_self();
    enum pyrt_status status = pyrt__activate_permitted(self, &ensure->inner);
    if (status != PYRT_OK) {
        return status;
    }
    pyrt_hook_point("ensure.guarded");
    PyThreadStateToken *token = PyThreadState_Ensure(guard->native);
    if (token == NULL) {
        return PYRT_NO_MEMORY;
    }
    struct pyrt__frame frame = pyrt__frame_save(self);
    status = pyrt__thread_enter(self);
    if (status != PYRT_OK) {
        pyrt__frame_restore(self, frame);
        PyThreadState_Release(token);
        return status;
    }
    self->count = 1;
    ensure->token = token;
    ensure->inner.pool = frame.pool;
    ensure->inner.tstate = frame.tstate;
    ensure->inner.uses = frame.uses;
    ensure->inner.count = frame.count;
    pyrt__scope_push(self, scope_of(ensure));
    pyrt__pool_drain(self);
    return PYRT_OK;
}

enum pyrt_status pyrt_ensure_end(struct pyrt_ensure *ensure)
{
    if (ensure == NULL) {
        return PYRT_INVALID;
    }
    struct pyrt__thread *self = pyrt__thread_self();
    enum pyrt_status status = pyrt__scope_endable(self, scope_of(ensure));
    if (status != PYRT_OK) {
        return status;
    }
    if (PyThreadState_GetUnchecked() != self->tstate) {
        return PYRT_MISMATCH;
    }
    pyrt__scope_pop_begin(scope_of(ensure));
    // Still counted: destructors may run in here, and attach.
    PyThreadState_Release(ensure->token);
    ensure->token = NULL;
    self->count = 0;
    pyrt__thread_leave(self);
    struct pyrt_activate *inner = &ensure->inner;
    pyrt__frame_restore(self, (struct pyrt__frame){inner->pool, inner->tstate, inner->uses, inner->count});
    pyrt__scope_pop_finish(self, scope_of(ensure));
    pyrt_guard_close(ensure->guard);
    ensure->guard = NULL;
    return PYRT_OK;
}

#endif
