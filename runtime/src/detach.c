// SPDX-License-Identifier: Apache-2.0
//
// detach: suspend all attaches of a thread, and restore them once the thread state is attached again, never before.
#include <Python.h>

#include "pyrt/detach.h"

#include "backend.h"
#include "pool_drain.h"
#include "pyrt/hook.h"
#include "record.h"
#include "thread.h"

static struct pyrt__scope scope_of(struct pyrt_detach *detach)
{
    return (struct pyrt__scope){&detach->thread, &detach->serial, &detach->outer};
}

enum pyrt_status pyrt_detach_begin(struct pyrt_detach *detach)
{
    if (detach == NULL) {
        return PYRT_INVALID;
    }
    struct pyrt__thread *self = pyrt__thread_self();
    enum pyrt_status status = pyrt__scope_vacant(scope_of(detach));
    if (status != PYRT_OK) {
        return status;
    }
    if (self->forbidden > 0) {
        return PYRT_FORBIDDEN;
    }
    if (!pyrt__thread_attached(self)) {
        return PYRT_NOT_ATTACHED;
    }
    detach->count = self->count;
    detach->pool = self->pool;
    pyrt__pool_flush(self);
    self->count = 0;
    self->tstate = NULL;
    self->pool = NULL;
    pyrt__scope_push(self, scope_of(detach));
    detach->tstate = pyrt__backend_suspend();
    pyrt_hook_point("detach.suspended");
    return PYRT_OK;
}

enum pyrt_status pyrt_detach_end(struct pyrt_detach *detach)
{
    if (detach == NULL) {
        return PYRT_INVALID;
    }
    struct pyrt__thread *self = pyrt__thread_self();
    enum pyrt_status status = pyrt__scope_endable(self, scope_of(detach));
    if (status != PYRT_OK) {
        return status;
    }
    if (pyrt__thread_stranded()) {
        return PYRT_FORKED;
    }
    if (PyThreadState_GetUnchecked() != NULL) {
        return PYRT_MISMATCH;
    }
    pyrt__scope_pop_begin(scope_of(detach));
    pyrt_hook_point("detach.resuming");
    int gone = pyrt__record_gone(detach->pool);
    if (!gone) {
        pyrt__backend_resume(detach->tstate);
    }
    // From here on the thread is attached; had it been parked above, its count would still be zero.
    self->count = detach->count;
    self->tstate = detach->tstate;
    self->pool = detach->pool;
    detach->tstate = NULL;
    pyrt__scope_pop_finish(self, scope_of(detach));
    if (gone) {
        return PYRT_GONE;
    }
    pyrt__pool_drain(self);
    return PYRT_OK;
}
