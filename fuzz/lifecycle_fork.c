// SPDX-License-Identifier: Apache-2.0
//
// lifecycle_fork: what the child of a fork does.
//
// It is under control (scenarios/common/forking.h), alone with what the other threads have left where they stood, and
// ends without unwinding: of the thread states of the scopes around, but for the innermost, nothing is left there.
#include <Python.h>

#include "fuzz/lifecycle_world.h"
#include "scenarios/common/forking.h"

struct fork {
    struct fuzz_player *player;
    struct fuzz_objects *objects;
    unsigned argument;
};

// By its argument: nothing more, a collection, a detach and back, a thread of its own.
static void child_work(const struct fork *self)
{
    struct pyrt_detach detach = {0};
    switch (self->argument) {
    case 1:
        PyGC_Collect();
        break;
    case 2:
        CX_CHECK(pyrt_detach_begin(&detach) == PYRT_OK);
        CX_CHECK(PyThreadState_GetUnchecked() == NULL);
        CX_CHECK(pyrt_detach_end(&detach) == PYRT_OK);
        break;
    case 3:
        self->player->thread = NULL; // it is not here
        fuzz_objects_touch(self->player, self->objects, &(struct fuzz_op){.kind = FUZZ_OP_THREAD});
        CX_CHECK(self->player->thread != NULL);
        fuzz_objects_touch(self->player, self->objects, &(struct fuzz_op){.kind = FUZZ_OP_JOIN});
        break;
    default:
        break;
    }
}

static void child(void *memory)
{
    const struct fork *self = memory;
    struct pyrt_attach attach = {0};
    fuzz_agree(self->player);
    CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
    fuzz_objects_work(self->objects);
    fuzz_objects_touch(self->player, self->objects, &(struct fuzz_op){.kind = FUZZ_OP_APPEND});
    fuzz_objects_touch(self->player, self->objects, &(struct fuzz_op){.kind = FUZZ_OP_INSTANCE});
    child_work(self);
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
    fuzz_agree(self->player);
}

void fuzz_fork(struct fuzz_player *player, struct fuzz_objects *objects, const struct fuzz_op *op)
{
    struct fork self = {player, objects, op->argument};
    forking_run(child, &self);
}
