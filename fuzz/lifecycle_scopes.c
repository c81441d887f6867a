// SPDX-License-Identifier: Apache-2.0
//
// lifecycle_scopes: the scopes that the threads of a program are in, and the thread states that they keep, beside the
// model of what the runtime must say about them.
//
// Each thread has a stack of scopes, and with each scope the model's idea of what holds inside. While no finalization
// has begun, every answer and every state must be the model's. From then on the runtime may refuse, and CPython may
// park a thread for ever where it stands; a thread that is refused goes on where it was.
#include <Python.h>

#include "fuzz/lifecycle_world.h"

#include <string.h>

// The interpreter of each kept state: two of the main one, which a thread must be able to tell apart.
static const int kept_in[FUZZ_ARGUMENTS] = {0, 1, 2, 0};

static struct fuzz_scope *top(struct fuzz_player *player)
{
    return &player->scopes[player->depth];
}

struct model_level *fuzz_level(struct fuzz_player *player)
{
    return &top(player)->model;
}

static struct pyrt_interp *interp_of(struct fuzz_player *player, int number)
{
    struct pyrt_interp *const interps[] = {&player->main, &player->world->shared, &player->own};
    return interps[number];
}

int fuzz_closing(const struct fuzz_player *player)
{
    return atomic_load(&player->world->closing);
}

// Whether a finalization has begun is asked afterwards.
void fuzz_agree(struct fuzz_player *player)
{
    int agrees = model_agrees(fuzz_level(player), player->ids);
    CX_CHECK(agrees || fuzz_closing(player));
}

void fuzz_scope_end(struct fuzz_player *player)
{
    struct fuzz_scope *scope = top(player);
    struct model_level *around = &player->scopes[player->depth - 1].model;
    enum pyrt_status status = PYRT_OK;
    switch (scope->kind) {
    case FUZZ_OP_GILSTATE:
        PyGILState_Release(scope->gil);
        break;
    case FUZZ_OP_SAVE:
        PyEval_RestoreThread(scope->saved);
        break;
    case FUZZ_OP_SECTION:
    case FUZZ_OP_SECTION_TWO:
        status = pyrt_critical_end(&scope->section);
        player->sections--;
        break;
    default:
        status = scope_end(&scope->model.scope);
        break;
    }
    CX_CHECK(status == PYRT_OK || fuzz_closing(player));
    model_leave(around, &scope->model);
    player->depth--;
}

void fuzz_scope_end_all(struct fuzz_player *player)
{
    while (player->depth > 0) {
        fuzz_scope_end(player);
    }
}

void fuzz_scope_begin(struct fuzz_player *player, const struct fuzz_op *op)
{
    static const struct {
        enum scope_kind kind;
        int to;
    } kinds[] = {
        [FUZZ_OP_ATTACH] = {SCOPE_TRY, 0},          [FUZZ_OP_ASSUME] = {SCOPE_ASSUME, 0},
        [FUZZ_OP_DETACH] = {SCOPE_DETACH, 0},       [FUZZ_OP_FORBID] = {SCOPE_FORBID, 0},
        [FUZZ_OP_ENTER_MAIN] = {SCOPE_ACTIVATE, 0}, [FUZZ_OP_ENTER_SHARED] = {SCOPE_ACTIVATE, 1},
        [FUZZ_OP_ENTER_OWN] = {SCOPE_ACTIVATE, 2},  [FUZZ_OP_ENSURE] = {SCOPE_ENSURE, 0},
        [FUZZ_OP_ENSURE_VIEW] = {SCOPE_VIEW, 0},    [FUZZ_OP_ENTER_KEPT] = {SCOPE_KEPT, 0},
    };
    struct fuzz_scope *inside = top(player) + 1;
    struct pyrt_tstate *kept = &player->kept[op->argument];
    memset(inside, 0, sizeof(*inside));
    inside->kind = op->kind;
    inside->model.scope.kind = kinds[op->kind].kind;
    inside->model.to = op->kind == FUZZ_OP_ENTER_KEPT ? kept_in[op->argument] : kinds[op->kind].to;
    inside->model.slot = op->argument;
    struct pyrt_interp *interp = interp_of(player, inside->model.to);
    int activates = inside->model.scope.kind == SCOPE_ACTIVATE;
    if ((activates && pyrt_interp_is_empty(interp)) || (op->kind == FUZZ_OP_ENTER_KEPT && !kept->record) ||
        (op->kind == FUZZ_OP_ENSURE && player->guard == NULL) ||
        (op->kind == FUZZ_OP_ENSURE_VIEW && player->view == NULL)) {
        return;
    }
    const struct scope_of of = {.interp = interp, .kept = kept, .guard = player->guard, .view = player->view};
    enum pyrt_status expected = model_expect(&inside->model, fuzz_level(player));
    enum pyrt_status status = scope_begin(&inside->model.scope, &of);
    CX_CHECK(status == expected || fuzz_closing(player));
    player->depth += status == PYRT_OK;
}

void fuzz_scope_begin_own(struct fuzz_player *player, const struct fuzz_op *op, struct fuzz_objects *objects)
{
    struct fuzz_scope *inside = top(player) + 1;
    const struct model_level *around = fuzz_level(player);
    int which = op->argument & 1;
    memset(inside, 0, sizeof(*inside));
    inside->kind = op->kind;
    model_inherit(&inside->model, around);
    switch (op->kind) {
    case FUZZ_OP_GILSTATE:
        inside->gil = PyGILState_Ensure();
        if (around->where == -1) {
            model_take_bound(&inside->model);
        }
        break;
    case FUZZ_OP_SAVE:
        inside->saved = PyEval_SaveThread();
        inside->model.where = -1;
        break;
    case FUZZ_OP_SECTION:
        CX_CHECK(pyrt_critical_begin(&inside->section, objects->pair[which]) == PYRT_OK);
        player->sections++;
        break;
    default: // FUZZ_OP_SECTION_TWO
        CX_CHECK(pyrt_critical_begin_two(&inside->section, objects->pair[which], objects->pair[!which]) == PYRT_OK);
        player->sections++;
        break;
    }
    player->depth++;
}

// `promised`: the runtime says what it will answer.
static void kept_close(struct fuzz_player *player, int slot, int promised)
{
    struct model_level *here = fuzz_level(player);
    enum pyrt_status expected = model_expect_close(here, slot);
    enum pyrt_status status = pyrt_tstate_close(&player->kept[slot]);
    CX_CHECK(status == expected || !promised || fuzz_closing(player));
    if (status == PYRT_OK) {
        model_closed(here);
    }
}

void fuzz_kept_open(struct fuzz_player *player, const struct fuzz_op *op)
{
    struct pyrt_tstate *kept = &player->kept[op->argument];
    const struct pyrt_interp *interp = interp_of(player, kept_in[op->argument]);
    if (kept->record == NULL && !pyrt_interp_is_empty(interp)) {
        enum pyrt_status status = pyrt_tstate_open(kept, interp);
        CX_CHECK(status == PYRT_OK || fuzz_closing(player));
        if (status == PYRT_OK) {
            model_opened(fuzz_level(player), op->argument, kept_in[op->argument]);
        }
    }
}

// A state that a suspended attach has taken, because it was the one used last, is left open (pyrt/activate.h).
void fuzz_kept_close(struct fuzz_player *player, const struct fuzz_op *op)
{
    const struct model_level *here = fuzz_level(player);
    int taken = ((here->used & ~here->active) >> op->argument) & 1;
    int attached = here->where >= 0 && here->bound_kept == 1 + op->argument;
    int promised = !taken || attached;
    if (player->kept[op->argument].record != NULL && (promised || player->world->mode == FUZZ_MISUSE)) {
        kept_close(player, op->argument, promised);
    }
}

void fuzz_kept_close_all(struct fuzz_player *player)
{
    for (int slot = 0; slot < FUZZ_ARGUMENTS; slot++) {
        if (player->kept[slot].record != NULL) {
            kept_close(player, slot, 1);
        }
    }
}
