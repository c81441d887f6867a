// SPDX-License-Identifier: Apache-2.0
//
// backend_guard: 3.15 and later, over the finalization guards of PEP 788.
//
// A view names the main interpreter and is valid at any time, before the first initialization and after the last
// finalization. PyThreadState_EnsureFromView takes a guard from it, or returns NULL once finalization has closed the
// door; while a guard is held, finalization waits. So there is no window between a check and the act.
#include <Python.h>

#if PY_VERSION_HEX >= 0x030F0000

#include "backend.h"

#include <stdatomic.h>
#include <stddef.h>

#include "pyrt/hook.h"

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

enum pyrt_status pyrt__backend_attach(void **token)
{
    if (!Py_IsInitialized()) {
        return Py_IsFinalizing() ? PYRT_FINALIZING : PYRT_NOT_INITIALIZED;
    }
    if (pyrt__backend_main_attached() == PYRT_MISMATCH) {
        return PYRT_MISMATCH;
    }
    PyInterpreterView *view = main_view_get();
    if (view == NULL) {
        return PYRT_NO_MEMORY;
    }
    pyrt_hook_point("attach.checked");
    *token = PyThreadState_EnsureFromView(view);
    // NULL also stands for want of memory; CPython does not say which, and the door being closed is what happens.
    return *token != NULL ? PYRT_OK : PYRT_FINALIZING;
}

void pyrt__backend_release(void *token)
{
    PyThreadState_Release(token);
}

void pyrt__backend_resume(void *tstate)
{
    PyEval_RestoreThread(tstate);
}

#endif
