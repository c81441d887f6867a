// SPDX-License-Identifier: Apache-2.0
//
// attach: the count of attaches, on top of a backend that gets the thread in and out.
//
// Invariant: count > 0 exactly while a thread state of the main interpreter is attached on behalf of the runtime. The
// count goes up after CPython has let the thread in and comes down after it has let it go; a thread that never comes
// back from either is not taken for attached by what still runs on it, because pyrt__thread_attached asks CPython too.
#include <Python.h>

#include "pyrt/attach.h"

#include "backend.h"
#include "pool_drain.h"
#include "thread.h"

static struct pyrt__scope scope_of(struct pyrt_attach *attach)
{
    return (struct pyrt__scope){&attach->thread, &attach->serial, &attach->outer};
}

static void enter(struct pyrt__thread *self, struct pyrt_attach *attach, void *token)
{
    attach->token = token;
    if (self->count == 0) {
        self->tstate = PyThreadState_GetUnchecked();
    }
    self->count++;
    pyrt__scope_push(self, scope_of(attach));
    pyrt__pool_drain(self);
}

enum pyrt_status pyrt_attach_try(struct pyrt_attach *attach)
{
    if (attach == NULL) {
        return PYRT_INVALID;
    }
    struct pyrt__thread *self = pyrt__thread_self();
    enum pyrt_status status = pyrt__scope_vacant(scope_of(attach));
    if (status != PYRT_OK) {
        return status;
    }
    if (self->forbidden > 0) {
        return PYRT_FORBIDDEN;
    }
    void *token = NULL;
    if (self->count == 0) {
        status = pyrt__backend_attach(&token);
        if (status != PYRT_OK) {
            return status;
        }
    }
    enter(self, attach, token);
    return PYRT_OK;
}

void pyrt_attach(struct pyrt_attach *attach)
{
    enum pyrt_status status = pyrt_attach_try(attach);
    if (status != PYRT_OK) {
        pyrt__die("pyrt_attach", status);
    }
}

enum pyrt_status pyrt_attach_assume(struct pyrt_attach *attach)
{
    if (attach == NULL) {
        return PYRT_INVALID;
    }
    struct pyrt__thread *self = pyrt__thread_self();
    enum pyrt_status status = pyrt__scope_vacant(scope_of(attach));
    if (status == PYRT_OK && self->forbidden > 0) {
        status = PYRT_FORBIDDEN;
    }
    if (status == PYRT_OK) {
        status = pyrt__backend_main_attached();
    }
    if (status == PYRT_OK) {
        enter(self, attach, NULL);
    }
    return status;
}

enum pyrt_status pyrt_attach_release(struct pyrt_attach *attach)
{
    if (attach == NULL) {
        return PYRT_INVALID;
    }
    struct pyrt__thread *self = pyrt__thread_self();
    enum pyrt_status status = pyrt__scope_endable(self, scope_of(attach));
    if (status != PYRT_OK) {
        return status;
    }
    pyrt__scope_pop_begin(scope_of(attach));
    void *token = attach->token;
    attach->token = NULL;
    if (token != NULL) {
        // Still counted: the destructors that run in here may attach, which then nests.
        pyrt__backend_release(token);
    }
    self->count--;
    if (self->count == 0) {
        self->tstate = NULL;
    }
    pyrt__scope_pop_finish(self, scope_of(attach));
    return PYRT_OK;
}

int pyrt_is_attached(void)
{
    return pyrt__thread_attached(pyrt__thread_self());
}
