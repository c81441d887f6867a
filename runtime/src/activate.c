// SPDX-License-Identifier: Apache-2.0
//
// activate: swapping thread states in and out, and the account of attaches along with them.
//
// Order on the way in: door, guard, thread state, swap, account. Each can be refused up to the swap, which can't. On
// the way out the same backwards: the use is dropped last, because the interpreter may end from then on.
#include <Python.h>

#include "activate.h"

#include "backend.h"
#include "pool_drain.h"
#include "pyrt/hook.h"
#include "record.h"

static struct pyrt__scope scope_of(struct pyrt_activate *activate)
{
    return (struct pyrt__scope){&activate->thread, &activate->serial, &activate->outer};
}

enum pyrt_status pyrt__activate_permitted(const struct pyrt__thread *self, struct pyrt_activate *activate)
{
    enum pyrt_status status = pyrt__scope_vacant(scope_of(activate));
    if (status != PYRT_OK) {
        return status;
    }
    if (self->forbidden > 0) {
        return PYRT_FORBIDDEN;
    }
    if (pyrt__thread_stranded()) {
        return PYRT_FORKED;
    }
    return pyrt__thread_stale(self) ? PYRT_GONE : PYRT_OK;
}

// Make the attached state the one that attaches count on, with one attach, the activation's.
static enum pyrt_status account(struct pyrt__thread *self, struct pyrt_activate *activate)
{
    struct pyrt__frame frame = pyrt__frame_save(self);
    enum pyrt_status status = pyrt__thread_enter(self);
    if (status != PYRT_OK) {
        pyrt__frame_restore(self, frame);
        return status;
    }
    self->count = 1;
    if (activate->record != NULL) {
        self->uses = 1;
    } else {
        // The same interpreter once more: its door counts what this thread holds already.
        self->uses = frame.pool == self->pool ? frame.uses : 0;
    }
    activate->pool = frame.pool;
    activate->tstate = frame.tstate;
    activate->uses = frame.uses;
    activate->count = frame.count;
    pyrt__scope_push(self, scope_of(activate));
    pyrt__pool_drain(self);
    return PYRT_OK;
}

void pyrt__activate_dispose(PyThreadState *tstate)
{
    PyThreadState_Clear(tstate);
    pyrt_hook_point("activate.cleared");
    PyThreadState_DeleteCurrent();
}

// Back through the door.
static void leave(struct pyrt_activate *activate)
{
    struct pyrt_pool *record = activate->record;
    pyrt__backend_guard_close(activate->guard);
    activate->guard = NULL;
    activate->record = NULL;
    if (activate->kept != NULL) {
        activate->kept->active = 0;
        activate->kept = NULL;
    }
    pyrt__use_drop(record);
    pyrt__record_unref(record);
}

// Out of the interpreter, and back into what was attached before. The use is given back between the two: where a thread
// comes back late it is parked, and who ends the interpreter would wait for it for ever.
static void swap_out(struct pyrt_activate *activate)
{
    if (activate->own != NULL) {
        PyThreadState_DeleteCurrent();
        activate->own = NULL;
    } else {
        pyrt__backend_swap(NULL);
    }
    leave(activate);
    pyrt__backend_swap(activate->previous);
}

static enum pyrt_status swap_in(struct pyrt__thread *self, struct pyrt_activate *activate, PyThreadState *tstate)
{
    pyrt_hook_point("activate.swapping");
    activate->previous = pyrt__backend_swap(tstate);
    enum pyrt_status status = account(self, activate);
    if (status != PYRT_OK) {
        if (activate->own != NULL) {
            PyThreadState_Clear(activate->own);
        }
        swap_out(activate);
    }
    return status;
}

enum pyrt_status pyrt__activate_enter(struct pyrt_activate *activate, struct pyrt_pool *record,
                                      struct pyrt_tstate *kept, PyThreadState *tstate)
{
    struct pyrt__thread *self = pyrt__thread_self();
    PyThreadState *current = PyThreadState_GetUnchecked();
    activate->own = NULL;
    activate->previous = NULL;
    activate->record = NULL;
    activate->kept = NULL;
    if (pyrt__record_gone(record)) {
        return PYRT_GONE;
    }
    if (current != NULL && PyThreadState_GetInterpreter(current) == record->interp) {
        return account(self, activate);
    }
    enum pyrt_status status = pyrt__use_take_surely(record);
    if (status != PYRT_OK) {
        return pyrt__record_gone(record) ? PYRT_GONE : status;
    }
    pyrt__record_ref(record);
    activate->record = record;
    status = pyrt__backend_guard_new(record, &activate->guard);
    if (status == PYRT_OK && kept == NULL && tstate == NULL) {
        tstate = PyThreadState_New(record->interp);
        activate->own = tstate;
        status = tstate != NULL ? PYRT_OK : PYRT_NO_MEMORY;
    }
    if (status == PYRT_OK) {
        if (kept != NULL) {
            activate->kept = kept;
            kept->active = 1;
            tstate = kept->tstate;
        }
        status = swap_in(self, activate, tstate);
    }
    if (status != PYRT_OK && activate->record != NULL) {
        leave(activate);
    }
    return status;
}

enum pyrt_status pyrt_activate_begin(struct pyrt_activate *activate, const struct pyrt_interp *interp)
{
    if (activate == NULL || interp == NULL || interp->record == NULL) {
        return PYRT_INVALID;
    }
    enum pyrt_status status = pyrt__activate_permitted(pyrt__thread_self(), activate);
    return status == PYRT_OK ? pyrt__activate_enter(activate, interp->record, NULL, NULL) : status;
}

enum pyrt_status pyrt_activate_begin_with(struct pyrt_activate *activate, struct pyrt_tstate *kept)
{
    if (activate == NULL || kept == NULL || kept->record == NULL) {
        return PYRT_INVALID;
    }
    struct pyrt__thread *self = pyrt__thread_self();
    if (kept->thread != self->id) {
        return PYRT_WRONG_THREAD;
    }
    enum pyrt_status status = pyrt__activate_permitted(self, activate);
    if (status != PYRT_OK) {
        return status;
    }
    PyThreadState *current = PyThreadState_GetUnchecked();
    if (kept->active && (current == NULL || PyThreadState_GetInterpreter(current) != kept->record->interp)) {
        return PYRT_BUSY;
    }
    return pyrt__activate_enter(activate, kept->record, kept, NULL);
}

enum pyrt_status pyrt_activate_end(struct pyrt_activate *activate)
{
    if (activate == NULL) {
        return PYRT_INVALID;
    }
    struct pyrt__thread *self = pyrt__thread_self();
    enum pyrt_status status = pyrt__scope_endable(self, scope_of(activate));
    if (status != PYRT_OK) {
        return status;
    }
    int stale = pyrt__thread_stale(self);
    if (!stale && PyThreadState_GetUnchecked() != self->tstate) {
        return PYRT_MISMATCH;
    }
    pyrt__scope_pop_begin(scope_of(activate));
    if (activate->own != NULL && !stale) {
        // Still counted: the destructors that run in here may attach or activate, which then nests.
        PyThreadState_Clear(activate->own);
        pyrt_hook_point("activate.cleared");
    }
    self->count = 0;
    pyrt__thread_leave(self);
    if (activate->record != NULL && !stale) {
        swap_out(activate);
    }
    activate->own = NULL;
    struct pyrt__frame frame = {activate->pool, activate->tstate, activate->uses, activate->count};
    pyrt__frame_restore(self, frame);
    pyrt__scope_pop_finish(self, scope_of(activate));
    if (activate->record != NULL) {
        leave(activate);
    }
    return stale ? PYRT_GONE : PYRT_OK;
}
