// SPDX-License-Identifier: Apache-2.0
//
// guard: guards and views as objects, and the ensure that takes a guard by itself; the same for all versions.
#include <Python.h>

#include "guard.h"

#include <stdlib.h>

#include "activate.h"
#include "backend.h"

// The record of what is attached.
static enum pyrt_status current_record(struct pyrt_pool **record)
{
    return PyThreadState_GetUnchecked() != NULL ? pyrt__record_current(record) : PYRT_NOT_ATTACHED;
}

// Make a guard of what was taken, which counts as `counts`.
static enum pyrt_status guard_new(struct pyrt_guard **guard, void *native, struct pyrt_pool *record, uint64_t counts)
{
    struct pyrt_guard *fresh = malloc(sizeof *fresh);
    if (fresh == NULL) {
        pyrt__guard_give_back(native, record);
        return PYRT_NO_MEMORY;
    }
    if (record != NULL) {
        pyrt__record_ref(record);
        atomic_fetch_add_explicit(&record->guards, counts, memory_order_relaxed);
    }
    *fresh = (struct pyrt_guard){native, record, counts};
    *guard = fresh;
    return PYRT_OK;
}

enum pyrt_status pyrt_guard_from_current(struct pyrt_guard **guard)
{
    struct pyrt_pool *record = NULL;
    void *native = NULL;
    if (guard == NULL) {
        return PYRT_INVALID;
    }
    enum pyrt_status status = current_record(&record);
    if (status == PYRT_OK) {
        status = pyrt__guard_take_current(record, &native);
    }
    return status == PYRT_OK ? guard_new(guard, native, record, PYRT__GUARD) : status;
}

static enum pyrt_status guard_of(const struct pyrt_view *view, struct pyrt_guard **guard, uint64_t counts)
{
    struct pyrt_pool *record = NULL;
    void *native = NULL;
    if (guard == NULL || view == NULL) {
        return PYRT_INVALID;
    }
    if (pyrt__thread_stranded()) {
        return PYRT_FORKED;
    }
    enum pyrt_status status = pyrt__guard_take(view, &native, &record);
    return status == PYRT_OK ? guard_new(guard, native, record, counts) : status;
}

enum pyrt_status pyrt_guard_from_view(struct pyrt_guard **guard, const struct pyrt_view *view)
{
    return guard_of(view, guard, PYRT__GUARD);
}

void pyrt_guard_close(struct pyrt_guard *guard)
{
    if (guard == NULL) {
        return;
    }
    struct pyrt_guard was = *guard;
    free(guard);
    if (was.record != NULL) {
        atomic_fetch_sub_explicit(&was.record->guards, was.counts, memory_order_relaxed);
    }
    pyrt__guard_give_back(was.native, was.record);
    if (was.record != NULL) {
        pyrt__record_unref(was.record);
    }
}

static enum pyrt_status view_new(struct pyrt_view **view, void *native, struct pyrt_pool *record)
{
    struct pyrt_view *fresh = malloc(sizeof *fresh);
    if (fresh == NULL) {
        pyrt__backend_view_close(native);
        return PYRT_NO_MEMORY;
    }
    if (record != NULL) {
        pyrt__record_ref(record);
    }
    *fresh = (struct pyrt_view){native, record};
    *view = fresh;
    return PYRT_OK;
}

enum pyrt_status pyrt_view_from_current(struct pyrt_view **view)
{
    struct pyrt_pool *record = NULL;
    void *native = NULL;
    if (view == NULL) {
        return PYRT_INVALID;
    }
    enum pyrt_status status = current_record(&record);
    if (status != PYRT_OK) {
        return status;
    }
    PyObject *exception = PyErr_GetRaisedException();
    int failed = pyrt__backend_view_new(&native);
    PyErr_SetRaisedException(exception);
    return failed ? PYRT_NO_MEMORY : view_new(view, native, record);
}

enum pyrt_status pyrt_view_from_main(struct pyrt_view **view)
{
    void *native = NULL;
    if (view == NULL) {
        return PYRT_INVALID;
    }
    return pyrt__backend_view_main(&native) == 0 ? view_new(view, native, NULL) : PYRT_NO_MEMORY;
}

void pyrt_view_close(struct pyrt_view *view)
{
    if (view != NULL) {
        if (view->record != NULL) {
            pyrt__record_unref(view->record);
        }
        pyrt__backend_view_close(view->native);
        free(view);
    }
}

enum pyrt_status pyrt_ensure_begin_view(struct pyrt_ensure *ensure, const struct pyrt_view *view)
{
    struct pyrt_guard *guard = NULL;
    if (ensure == NULL) {
        return PYRT_INVALID;
    }
    enum pyrt_status status = pyrt__activate_permitted(pyrt__thread_self(), &ensure->inner);
    if (status == PYRT_OK) {
        status = guard_of(view, &guard, PYRT__GUARD_PASSING);
    }
    if (status != PYRT_OK) {
        return status;
    }
    struct pyrt__thread *self = pyrt__thread_self();
    struct pyrt_pool *outer = self->beginning;
    self->beginning = guard->record;
    status = pyrt_ensure_begin(ensure, guard);
    if (status == PYRT_OK && ensure->inner.record == NULL) {
        // It has gone through no door of ours: nothing but the guard holds finalization up.
        if (guard->record != NULL) {
            atomic_fetch_sub_explicit(&guard->record->guards, PYRT__GUARD_PASSING - PYRT__GUARD, memory_order_relaxed);
        }
        guard->counts = PYRT__GUARD;
        ensure->guard = guard;
    } else {
        pyrt_guard_close(guard);
    }
    self->beginning = outer;
    return status;
}
