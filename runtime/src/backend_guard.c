// SPDX-License-Identifier: Apache-2.0
//
// backend_guard: 3.15 and later, over the finalization guards of PEP 788.
//
// This is the way of threads that CPython does not know yet, and of those that come while our own door is closing
// (known.h has the usual one). A view names the main interpreter and is valid at any time, before the first
// initialization and after the last finalization. PyThreadState_EnsureFromView takes a guard from it, or returns NULL
// once finalization has closed the door; while a guard is held, finalization waits. So there is no window between a
// check and the act.
#include <Python.h>

#if PY_VERSION_HEX >= 0x030F0000

#include "backend.h"

#include <stdatomic.h>
#include <stddef.h>

#include "pyrt/hook.h"
#include "record.h"

// The view of the main interpreter, made at the first attach of any thread and kept. It is a few bytes and names the
// interpreter by number, so that it outlives every finalization.
static PyInterpreterView *_Atomic main_view; // atomic

static PyInterpreterView *main_view_get(void)
{
    // Acquire pairs with the release of the exchange below: whoever sees the pointer sees what it points to.
    PyInterpreterView *view = atomic_load_explicit(&main_view, memory_order_acquire);
    if (view != NULL) {
        return view;
    }
    PyInterpreterView *fresh = PyInterpreterView_FromMain();
    if (fresh == NULL) {
        return NULL;
    }
    if (atomic_compare_exchange_strong_explicit(&main_view, &view, fresh, memory_order_acq_rel, memory_order_acquire)) {
        return fresh;
    }
    PyInterpreterView_Close(fresh);
    return view;
}

enum pyrt_status pyrt__backend_attach(struct pyrt__entry *entry)
{
    enum pyrt_status status = pyrt__backend_main_attached();
    if (status != PYRT_NOT_ATTACHED) {
        return status;
    }
    if (!Py_IsInitialized()) {
        return Py_IsFinalizing() ? PYRT_FINALIZING : PYRT_NOT_INITIALIZED;
    }
    struct pyrt_pool *record = pyrt__record_main();
    int known = record->bound && !pyrt__record_gone(record);
    if (known && pyrt__use_late(record)) {
        // CPython would let the thread in, and finalization wait for it, and for the next one.
        return PYRT_FINALIZING;
    }
    PyInterpreterView *view = main_view_get();
    if (view == NULL) {
        return PYRT_NO_MEMORY;
    }
    if (known && pyrt__use_take(record) == PYRT_OK) {
        entry->used = record;
    }
    pyrt_hook_point("attach.checked");
    entry->token = PyThreadState_EnsureFromView(view);
    // NULL also stands for want of memory; CPython does not say which, and the door being closed is what happens.
    if (entry->token == NULL && entry->used != NULL) {
        pyrt__use_drop(record);
        entry->used = NULL;
    }
    return entry->token != NULL ? PYRT_OK : PYRT_FINALIZING;
}

static char unchecked; // its address is the token of an attach through PyGILState_Ensure

void pyrt__backend_attach_unchecked(struct pyrt__entry *entry)
{
    // No guard can be had before the interpreter is initialized, so this is the old function.
    entry->used = NULL;
    entry->token = PyGILState_Ensure() == PyGILState_UNLOCKED ? &unchecked : NULL;
    if (entry->token == NULL) {
        PyGILState_Release(PyGILState_LOCKED);
    }
}

void pyrt__backend_release(struct pyrt__entry *entry)
{
    if (entry->token == &unchecked) {
        PyGILState_Release(PyGILState_UNLOCKED);
    } else if (entry->token != NULL && entry->token == PyThreadState_GetUnchecked()) {
        PyEval_SaveThread(); // it came in by known.h; CPython's token names what was attached before, and that was none
    } else if (entry->token != NULL) {
        PyThreadState_Release(entry->token);
    }
    entry->token = NULL;
}

void *pyrt__backend_swap(void *tstate)
{
    return PyThreadState_Swap(tstate);
}

enum pyrt_status pyrt__backend_guard_new(const struct pyrt_pool *record, void **guard)
{
    pyrt_hook_point("guard.taking");
    *guard = PyInterpreterGuard_FromView(record->view);
    if (*guard != NULL && pyrt__record_gone(record)) {
        // Views are numbers, which begin anew: this is the guard of a later interpreter.
        PyInterpreterGuard_Close(*guard);
        *guard = NULL;
    }
    return *guard != NULL ? PYRT_OK : PYRT_FINALIZING;
}

void pyrt__backend_guard_close(void *guard)
{
    if (guard != NULL) {
        PyInterpreterGuard_Close(guard);
    }
}

int pyrt__backend_view_new(void **view)
{
    *view = PyInterpreterView_FromCurrent();
    if (*view == NULL) {
        PyErr_Clear();
        return -1;
    }
    return 0;
}

int pyrt__backend_view_main(void **view)
{
    *view = PyInterpreterView_FromMain();
    return *view != NULL ? 0 : -1;
}

void pyrt__backend_view_close(void *view)
{
    if (view != NULL) {
        PyInterpreterView_Close(view);
    }
}

#endif
