// SPDX-License-Identifier: Apache-2.0
//
// model: see model.h.
#include <Python.h>

#include "model.h"

enum pyrt_status model_expect(struct model_level *inside, const struct model_level *around)
{
    int ensures = inside->scope.kind == SCOPE_ENSURE || inside->scope.kind == SCOPE_VIEW;
    inside->where = around->where;
    inside->counted = around->counted;
    inside->forbidden = around->forbidden;
    inside->bound = around->bound;
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
            inside->where = 0;
            inside->bound = 0;
            inside->own = around->bound == -1;
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
        inside->where = ensures ? 0 : inside->to;
        inside->bound = inside->where;
        inside->own = inside->where != around->where && !(ensures && around->where == -1 && around->bound == 0);
        inside->counted = 1;
        return PYRT_OK;
    }
}

void model_leave(struct model_level *around, const struct model_level *left)
{
    // A state that is attached again is bound again; one that is deleted leaves none bound.
    around->bound = around->where >= 0 ? around->where : left->own ? -1 : left->bound;
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
