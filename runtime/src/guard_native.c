// SPDX-License-Identifier: Apache-2.0
//
// guard_native: guards, views and ensures from 3.15 on, by CPython's own functions.
#include <Python.h>

#if PY_VERSION_HEX >= 0x030F0000

#include "pyrt/guard.h"

#include <stdlib.h>

#include "activate.h"
#include "pool_drain.h"
#include "pyrt/hook.h"
#include "record.h"

struct pyrt_guard {
    PyInterpreterGuard *native; // const after init
    struct pyrt_pool *record;   // const after init; counts it; NULL: the runtime had not met the interpreter
};

struct pyrt_view {
    PyInterpreterView *native; // const after init
    struct pyrt_pool *record;  // const after init; NULL: the main interpreter's, at the time of use
};

static struct pyrt__scope scope_of(struct pyrt_ensure *ensure)
{
    return (struct pyrt__scope){&ensure->inner.thread, &ensure->inner.serial, &ensure->inner.outer};
}

// Wrap what CPython gave. An exception stands for a refusal, or want of memory.
static enum pyrt_status guard_new(struct pyrt_guard **guard, PyInterpreterGuard *native, struct pyrt_pool *record)
{
    if (native == NULL) {
        return PYRT_FINALIZING;
    }
    *guard = malloc(sizeof **guard);
    if (*guard == NULL) {
        PyInterpreterGuard_Close(native);
        return PYRT_NO_MEMORY;
    }
    **guard = (struct pyrt_guard){native, record};
    if (record != NULL) {
        pyrt__record_ref(record);
        atomic_fetch_add_explicit(&record->guards, 1, memory_order_relaxed);
    }
    return PYRT_OK;
}

enum pyrt_status pyrt_guard_from_current(struct pyrt_guard **guard)
{
    if (guard == NULL) {
        return PYRT_INVALID;
    }
    if (PyThreadState_GetUnchecked() == NULL) {
        return PYRT_NOT_ATTACHED;
    }
    struct pyrt_pool *record = NULL;
    enum pyrt_status status = pyrt__record_current(&record);
    if (status != PYRT_OK) {
        return status;
    }
    PyObject *exception = PyErr_GetRaisedException();
    PyInterpreterGuard *native = PyInterpreterGuard_FromCurrent();
    int no_memory = native == NULL && PyErr_ExceptionMatches(PyExc_MemoryError);
    PyErr_SetRaisedException(exception);
    return no_memory ? PYRT_NO_MEMORY : guard_new(guard, native, record);
}

enum pyrt_status pyrt_guard_from_view(struct pyrt_guard **guard, const struct pyrt_view *view)
{
    if (guard == NULL || view == NULL) {
        return PYRT_INVALID;
    }
    if (pyrt__thread_stranded()) {
        return PYRT_FORKED;
    }
    if (view->record == NULL && !Py_IsInitialized() && !Py_IsFinalizing()) {
        return PYRT_NOT_INITIALIZED;
    }
    struct pyrt_pool *record = view->record != NULL ? view->record : pyrt__record_main();
    if (!record->bound || pyrt__record_gone(record)) {
        if (view->record != NULL) {
            return PYRT_GONE; // and its number may be another's by now
        }
        record = NULL; // CPython answers
    } else if (pyrt__use_awaited(record)) {
        return PYRT_FINALIZING;
    }
    pyrt_hook_point("guard.taking");
    return guard_new(guard, PyInterpreterGuard_FromView(view->native), record);
}

void pyrt_guard_close(struct pyrt_guard *guard)
{
    if (guard != NULL) {
        if (guard->record != NULL) {
            atomic_fetch_sub_explicit(&guard->record->guards, 1, memory_order_relaxed);
            pyrt__record_unref(guard->record);
        }
        PyInterpreterGuard_Close(guard->native);
        free(guard);
    }
}

static enum pyrt_status view_new(struct pyrt_view **view, PyInterpreterView *native, struct pyrt_pool *record)
{
    if (native == NULL) {
        return PYRT_NO_MEMORY;
    }
    *view = malloc(sizeof **view);
    if (*view == NULL) {
        PyInterpreterView_Close(native);
        return PYRT_NO_MEMORY;
    }
    **view = (struct pyrt_view){native, record};
    if (record != NULL) {
        pyrt__record_ref(record);
    }
    return PYRT_OK;
}

enum pyrt_status pyrt_view_from_current(struct pyrt_view **view)
{
    if (view == NULL) {
        return PYRT_INVALID;
    }
    if (PyThreadState_GetUnchecked() == NULL) {
        return PYRT_NOT_ATTACHED;
    }
    struct pyrt_pool *record = NULL;
    enum pyrt_status status = pyrt__record_current(&record);
    if (status != PYRT_OK) {
        return status;
    }
    PyObject *exception = PyErr_GetRaisedException();
    PyInterpreterView *native = PyInterpreterView_FromCurrent();
    PyErr_SetRaisedException(exception);
    return view_new(view, native, record);
}

enum pyrt_status pyrt_view_from_main(struct pyrt_view **view)
{
    return view == NULL ? PYRT_INVALID : view_new(view, PyInterpreterView_FromMain(), NULL);
}

void pyrt_view_close(struct pyrt_view *view)
{
    if (view != NULL) {
        if (view->record != NULL) {
            pyrt__record_unref(view->record);
        }
        PyInterpreterView_Close(view->native);
        free(view);
    }
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

enum pyrt_status pyrt_ensure_begin_view(struct pyrt_ensure *ensure, const struct pyrt_view *view)
{
    if (ensure == NULL) {
        return PYRT_INVALID;
    }
    struct pyrt_guard *guard = NULL;
    enum pyrt_status status = pyrt__activate_permitted(pyrt__thread_self(), &ensure->inner);
    if (status == PYRT_OK) {
        status = pyrt_guard_from_view(&guard, view);
    }
    if (status == PYRT_OK) {
        status = pyrt_ensure_begin(ensure, guard);
        if (status == PYRT_OK) {
            ensure->guard = guard;
        } else {
            pyrt_guard_close(guard);
        }
    }
    return status;
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
