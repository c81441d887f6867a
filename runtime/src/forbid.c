// SPDX-License-Identifier: Apache-2.0
//
// forbid: a count of live forbids; what it forbids is refused by attach.c, detach.c and pool.c.
#include "pyrt/forbid.h"

#include <stddef.h>

#include "thread.h"

static struct pyrt__scope scope_of(struct pyrt_forbid *forbid)
{
    return (struct pyrt__scope){&forbid->thread, &forbid->serial, &forbid->outer};
}

enum pyrt_status pyrt_forbid_begin(struct pyrt_forbid *forbid)
{
    if (forbid == NULL) {
        return PYRT_INVALID;
    }
    struct pyrt__thread *self = pyrt__thread_self();
    enum pyrt_status status = pyrt__scope_vacant(scope_of(forbid));
    if (status == PYRT_OK) {
        pyrt__scope_push(self, scope_of(forbid));
        self->forbidden++;
    }
    return status;
}

enum pyrt_status pyrt_forbid_end(struct pyrt_forbid *forbid)
{
    if (forbid == NULL) {
        return PYRT_INVALID;
    }
    struct pyrt__thread *self = pyrt__thread_self();
    enum pyrt_status status = pyrt__scope_endable(self, scope_of(forbid));
    if (status == PYRT_OK) {
        pyrt__scope_pop_begin(scope_of(forbid));
        pyrt__scope_pop_finish(self, scope_of(forbid));
        self->forbidden--;
    }
    return status;
}

int pyrt_in_traverse(void)
{
    return pyrt__thread_self()->forbidden > 0;
}
