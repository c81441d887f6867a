// SPDX-License-Identifier: Apache-2.0
//
// model: see model.h.
#include <Python.h>

#include "model.h"

void model_inherit(struct model_level *inside, const struct model_level *around)
{
    inside->where = around->where;
    inside->counted = around->counted;
    inside->forbidden = around->forbidden;
    inside->bound = around->bound;
    inside->bound_kept = around->bound_kept;
    inside->active = around->active;
    inside->used = around->used;
}

void model_take_bound(struct model_level *inside)
{
    inside->own = inside->bound == -1;
    inside->bound_kept = inside->bound == 0 ? inside->bound_kept : 0;
    inside->where = 0;
    inside->bound = 0;
    inside->used |= inside->bound_kept > 0 ? 1u << (inside->bound_kept - 1) : 0;
}

// Activations and ensures.
static enum pyrt_status expect_inside(struct model_level *inside, const struct model_level *around)
{
    int ensures = inside->scope.kind == SCOPE_ENSURE || inside->scope.kind == SCOPE_VIEW;
    int to = ensures ? 0 : inside->to;
    inside->counted = 1;
    if (around->where == to) {
        return PYRT_OK;
    }
    if (ensures && around->where == -1 && around->bound == 0) {
        model_take_bound(inside);
        return PYRT_OK;
    }
    inside->where = to;
    inside->bound = to;
    if (inside->scope.kind != SCOPE_KEPT) {
        inside->own = 1;
        inside->bound_kept = 0;
        return PYRT_OK;
    }
    unsigned bit = 1u << inside->slot;
    inside->active |= bit;
    inside->bound_kept = 1 + inside->slot;
    return (around->active & bit) != 0 ? PYRT_BUSY : PYRT_OK;
}

enum pyrt_status model_expect(struct model_level *inside, const struct model_level *around)
{
    model_inherit(inside, around);
    if (inside->scope.kind == SCOPE_FORBID) {
        inside->forbidden++;
        return PYRT_OK;
    }
    if (around->forbidden > 0) {
        return PYRT_FORBIDDEN;
    }
    switch (inside->scope.kind) {
    case SCOPE_TRY:
        if (!around->counted && around->where == -1) {
            if (around->bound > 0 && PY_VERSION_HEX < 0x030F0000) {
                return PYRT_MISMATCH;
            }
            model_take_bound(inside);
        }
        inside->counted = 1;
        return PYRT_OK;
    case SCOPE_ASSUME:
        inside->counted = 1;
        return around->where == -1 ? PYRT_NOT_ATTACHED : PYRT_OK;
    case SCOPE_DETACH:
        inside->where = -1;
        inside->counted = 0;
        return around->counted ? PYRT_OK : PYRT_NOT_ATTACHED;
    default:
        return expect_inside(inside, around);
    }
}

void model_opened(struct model_level *here, int slot, int to)
{
    if (here->bound == -1) {
        here->bound = to;
        here->bound_kept = 1 + slot;
    }
}

enum pyrt_status model_expect_close(const struct model_level *here, int slot)
{
    if (here->forbidden > 0) {
        return PYRT_FORBIDDEN;
    }
    return (((here->active | here->used) >> slot) & 1) != 0 ? PYRT_BUSY : PYRT_OK;
}

void model_closed(struct model_level *here)
{
    here->bound = here->where;
    here->bound_kept = here->where >= 0 ? here->bound_kept : 0;
}

void model_leave(struct model_level *around, const struct model_level *left)
{
    // A state that is attached again is bound again; one that is deleted leaves none bound.
    if (around->where >= 0) {
        around->bound = around->where;
    } else {
        around->bound = left->own ? -1 : left->bound;
        around->bound_kept = left->own ? 0 : left->bound_kept;
    }
}

int model_agrees(const struct model_level *model, const int64_t *ids)
{
    const PyThreadState *tstate = PyThreadState_GetUnchecked();
    int64_t id = -1;
    if (tstate != NULL) {
        id = PyInterpreterState_GetID(PyThreadState_GetInterpreter((PyThreadState *)tstate));
    }
    int attached = model->counted && model->forbidden == 0;
    return id == (model->where >= 0 ? ids[model->where] : -1) && pyrt_is_attached() == attached &&
           pyrt_in_traverse() == (model->forbidden > 0);
}
