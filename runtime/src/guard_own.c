// SPDX-License-Identifier: Apache-2.0
//
// guard_own: guards, views and ensures on 3.13 and 3.14. A guard is a use of the interpreter's door (door.c), an ensure
// an activation (activate.c) that first looks for a thread state that this thread has already.
#include <Python.h>

#if PY_VERSION_HEX < 0x030F0000

#include "guard.h"

#include "activate.h"
#include "pyrt/hook.h"
#include "thread.h"

static enum pyrt_status take(struct pyrt_pool *record)
{
    pyrt_hook_point("guard.taking");
    enum pyrt_status status = pyrt__use_awaited(record) ? PYRT_FINALIZING : pyrt__use_take_surely(record);
    return status != PYRT_OK && pyrt__record_gone(record) ? PYRT_GONE : status;
}

enum pyrt_status pyrt__guard_take_current(struct pyrt_pool *record, void **native)
{
    (void)native;
    return record == &pyrt__nowhere ? PYRT_FINALIZING : take(record);
}

enum pyrt_status pyrt__guard_take(const struct pyrt_view *view, void **native, struct pyrt_pool **record)
{
    (void)native;
    *record = view->record != NULL ? view->record : pyrt__record_main();
    return (*record)->bound ? take(*record) : PYRT_NOT_INITIALIZED;
}

void pyrt__guard_give_back(void *native, struct pyrt_pool *record)
{
    (void)native;
    pyrt__use_drop(record);
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
