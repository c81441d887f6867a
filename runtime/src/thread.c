// SPDX-License-Identifier: Apache-2.0
//
// thread: the thread-local record and the discipline of scopes.
#include <Python.h>

#include "thread.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "pool_drain.h"
#include "record.h"
#include "slot.h"

static _Atomic uint64_t threads_seen; // atomic

_Thread_local struct pyrt__thread pyrt__current = {.slot = &pyrt__no_slot};

void pyrt__thread_number(void)
{
    // Relaxed: the number has to be unique, it orders nothing.
    pyrt__current.id = atomic_fetch_add_explicit(&threads_seen, 1, memory_order_relaxed) + 1;
}

int pyrt__thread_attached(const struct pyrt__thread *self)
{
    return self->count > 0 && self->forbidden == 0 && PyThreadState_GetUnchecked() == self->tstate &&
           !pyrt__thread_stale(self);
}

enum pyrt_status pyrt__thread_enter(struct pyrt__thread *self)
{
    struct pyrt_pool *record = NULL;
    enum pyrt_status status = pyrt__record_current(&record);
    if (status == PYRT_OK) {
        pyrt__record_ref(record);
        self->pool = record;
        self->tstate = PyThreadState_GetUnchecked();
    }
    return status;
}

void pyrt__thread_leave(struct pyrt__thread *self)
{
    struct pyrt_pool *record = self->pool;
    pyrt__pool_flush(self);
    self->pool = NULL;
    self->tstate = NULL;
    pyrt__record_unref(record);
}

struct pyrt__frame pyrt__frame_save(struct pyrt__thread *self)
{
    struct pyrt__frame frame = {self->pool, self->tstate, self->uses, self->count};
    pyrt__pool_flush(self);
    self->pool = NULL;
    self->tstate = NULL;
    self->uses = 0;
    self->count = 0;
    return frame;
}

void pyrt__frame_restore(struct pyrt__thread *self, struct pyrt__frame frame)
{
    self->pool = frame.pool;
    self->tstate = frame.tstate;
    self->uses = frame.uses;
    self->count = frame.count;
}

int pyrt__thread_stale(const struct pyrt__thread *self)
{
    if (self->count == 0 || !pyrt__record_gone(self->pool)) {
        return 0;
    }
    // The thread that finalizes goes on, attached, for a while after its interpreter was cleared. Once it is through it
    // has no thread state; and a later interpreter, which may reuse the address, is not being finalized.
    return !(Py_IsFinalizing() && PyThreadState_GetUnchecked() == self->tstate);
}

void pyrt__die(const char *what, enum pyrt_status status)
{
    fprintf(stderr, "pyrt: %s: %s (%s)\n", what, pyrt_status_text(status), pyrt_status_name(status));
    fflush(stderr);
    abort();
}
