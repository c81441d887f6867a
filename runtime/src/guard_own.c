// SPDX-License-Identifier: Apache-2.0
//
// guard_own: guards, views and ensures on 3.13 and 3.14. A guard is a use of the interpreter's door (door.c), an ensure
// an activation (activate.c) that first looks for a thread state that this thread has already.
#include <Python.h>

#if PY_VERSION_HEX < 0x030F0000

#include "pyrt/guard.h"

#include <stdlib.h>

#include "activate.h"
#include "pyrt/hook.h"
#include "record.h"

struct pyrt_guard {
    struct pyrt_pool *record; // const after init
};

struct pyrt_view {
    struct pyrt_pool *record; // const after init; NULL: the main interpreter's, at the time of use
};

// The record that is attached, with a reference for the caller.
static enum pyrt_status current_record(struct pyrt_pool **record)
{
    if (PyThreadState_GetUnchecked() == NULL) {
        return PYRT_NOT_ATTACHED;
    }
    enum pyrt_status status = pyrt__record_current(record);
    if (status == PYRT_OK) {
        pyrt__record_ref(*record);
    }
    return status;
}

static enum pyrt_status guard_new(struct pyrt_guard **guard, struct pyrt_pool *record)
{
    struct pyrt_guard *fresh = malloc(sizeof *fresh);
    if (fresh == NULL) {
        return PYRT_NO_MEMORY;
    }
    pyrt_hook_point("guard.taking");
    enum pyrt_status status = pyrt__use_awaited(record) ? PYRT_FINALIZING : pyrt__use_take_surely(record);
    if (status != PYRT_OK) {
        free(fresh);
        return pyrt__record_gone(record) ? PYRT_GONE : status;
    }
    pyrt__record_ref(record);
    atomic_fetch_add_explicit(&record->guards, 1, memory_order_relaxed);
    fresh->record = record;
    *guard = fresh;
    return PYRT_OK;
}

enum pyrt_status pyrt_guard_from_current(struct pyrt_guard **guard)
{
    struct pyrt_pool *record = NULL;
    if (guard == NULL) {
        return PYRT_INVALID;
    }
    enum pyrt_status status = current_record(&record);
    if (status != PYRT_OK) {
        return status;
    }
    status = record == &pyrt__nowhere ? PYRT_FINALIZING : guard_new(guard, record);
    pyrt__record_unref(record);
    return status;
}

enum pyrt_status pyrt_guard_from_view(struct pyrt_guard **guard, const struct pyrt_view *view)
{
    if (guard == NULL || view == NULL) {
        return PYRT_INVALID;
    }
    if (pyrt__thread_stranded()) {
        return PYRT_FORKED;
    }
    struct pyrt_pool *record = view->record != NULL ? view->record : pyrt__record_main();
    if (!record->bound) {
        return PYRT_NOT_INITIALIZED;
    }
    return guard_new(guard, record);
}

void pyrt_guard_close(struct pyrt_guard *guard)
{
    if (guard != NULL) {
        struct pyrt_pool *record = guard->record;
        free(guard);
        atomic_fetch_sub_explicit(&record->guards, 1, memory_order_relaxed);
        pyrt__use_drop(record);
        pyrt__record_unref(record);
    }
}

enum pyrt_status pyrt_view_from_current(struct pyrt_view **view)
{
    struct pyrt_pool *record = NULL;
    if (view == NULL) {
        return PYRT_INVALID;
    }
    enum pyrt_status status = current_record(&record);
    if (status != PYRT_OK) {
        return status;
    }
    *view = malloc(sizeof **view);
    if (*view == NULL) {
        pyrt__record_unref(record);
        return PYRT_NO_MEMORY;
    }
    (*view)->record = record;
    return PYRT_OK;
}

enum pyrt_status pyrt_view_from_main(struct pyrt_view **view)
{
    if (view == NULL) {
        return PYRT_INVALID;
    }
    *view = calloc(1, sizeof **view);
    return *view != NULL ? PYRT_OK : PYRT_NO_MEMORY;
}

void pyrt_view_close(struct pyrt_view *view)
{
    if (view != NULL) {
        if (view->record != NULL) {
            pyrt__record_unref(view->record);
        }
        free(view);
    }
}

enum pyrt_status pyrt_ensure_begin(struct pyrt_ensure *ensure, struct pyrt_guard *guard)
{
    if (ensure == NULL || guard == NULL) {
        return PYRT_INVALID;
    }
    enum pyrt_status status = pyrt__activate_permitted(pyrt__thread_self(), &ensure->inner);
    if (status != PYRT_OK) {
        return status;
    }
    // The state that this thread used last. It belongs to this runtime: older ones are forgotten with theirs.
    PyThreadState *bound = PyThreadState_GetUnchecked() == NULL ? PyGILState_GetThisThreadState() : NULL;
    if (bound != NULL && PyThreadState_GetInterpreter(bound) != guard->record->interp) {
        bound = NULL;
    }
    return pyrt__activate_enter(&ensure->inner, guard->record, NULL, bound);
}

enum pyrt_status pyrt_ensure_begin_view(struct pyrt_ensure *ensure, const struct pyrt_view *view)
{
    struct pyrt_guard *guard = NULL;
    if (ensure == NULL) {
        return PYRT_INVALID;
    }
    enum pyrt_status status = pyrt__activate_permitted(pyrt__thread_self(), &ensure->inner);
    if (status == PYRT_OK) {
        status = pyrt_guard_from_view(&guard, view);
    }
    if (status == PYRT_OK) {
        status = pyrt_ensure_begin(ensure, guard);
        if (status == PYRT_OK && ensure->inner.record == NULL) {
            // It nests in what other code has attached: nothing but the guard holds finalization up.
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
    enum pyrt_status status = pyrt_activate_end(&ensure->inner);
    if (status == PYRT_OK || status == PYRT_GONE) {
        pyrt_guard_close(ensure->guard);
        ensure->guard = NULL;
    }
    return status;
}

#endif
