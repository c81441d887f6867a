// SPDX-License-Identifier: Apache-2.0
//
// lifecycle_play: the threads of a program at work, beside the model of what the runtime must say about them
// (lifecycle_scopes.c).
#include <Python.h>

#include "fuzz/lifecycle_world.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

static void interp_create(struct fuzz_player *player)
{
    if (!pyrt_interp_is_empty(&player->own)) {
        return;
    }
    enum pyrt_status status = pyrt_interp_create(&player->own, NULL);
    CX_CHECK(status == PYRT_OK || fuzz_closing(player));
    player->ids[2] = pyrt_interp_id(&player->own);
}

// Subinterpreters must be destroyed before Py_FinalizeEx (pyrt/interp.h), which ends those that are left itself: a
// thread that comes later leaves its own to it, and one that has begun is waited for.
static void interp_destroy(struct fuzz_player *player)
{
    struct fuzz_world *world = player->world;
    if (pyrt_interp_is_empty(&player->own)) {
        return;
    }
    pthread_rwlock_rdlock(&world->destroying);
    if (!fuzz_closing(player) || player->number == 0 || world->mode == FUZZ_MISUSE) {
        enum pyrt_status status = pyrt_interp_destroy(&player->own);
        CX_CHECK(status == PYRT_OK || status == PYRT_BUSY || status == PYRT_FORBIDDEN || fuzz_closing(player));
    }
    pthread_rwlock_unlock(&world->destroying);
}

static void make(struct fuzz_player *player, struct fuzz_objects *objects)
{
    if (player->held == 0 && player->pool_life != objects) {
        pyrt_pool_close(player->pool);
        player->pool = pyrt_pool_open();
        player->pool_life = objects;
    }
    if (player->pool != NULL && player->pool_life == objects) {
        Py_INCREF(objects->anchor);
        player->held++;
    }
}

static void drop(struct fuzz_player *player)
{
    if (player->held > 0) {
        enum pyrt_status status = pyrt_pool_decref_in(player->pool, player->pool_life->anchor);
        CX_CHECK(status == PYRT_OK || fuzz_closing(player));
        player->held--;
    }
}

static void drop_wrongly(struct fuzz_player *player, const struct fuzz_op *op)
{
    if (op->argument != 0) {
        abort();
    }
    player->held -= player->held > 0;
}

static void guard_open(struct fuzz_player *player)
{
    if (player->guard == NULL) {
        enum pyrt_status status = pyrt_guard_from_current(&player->guard);
        CX_CHECK(status == PYRT_OK || fuzz_closing(player));
    }
}

static void guard_close(struct fuzz_player *player)
{
    pyrt_guard_close(player->guard);
    player->guard = NULL;
}

static void initialize(struct fuzz_player *player)
{
    struct fuzz_world *world = player->world;
    if (Py_IsInitialized() || world->lives_count == FUZZ_RESTARTS_MAX) {
        return;
    }
    CX_CHECK(cx_python_start() == 0);
    struct fuzz_objects *objects = &world->lives[world->lives_count++];
    CX_CHECK(fuzz_objects_make(objects) == 0 && fuzz_objects_help(objects, &world->program) == 0);
    atomic_store(&world->objects, objects);
    player->scopes[0].model = (struct model_level){.where = 0, .bound = 0};
}

// Detached, for Py_EndInterpreter stops all threads that are not.
static void destroyers_wait(struct fuzz_world *world)
{
    PyThreadState *tstate = PyEval_SaveThread();
    pthread_rwlock_wrlock(&world->destroying);
    atomic_store(&world->closing, 1);
    pthread_rwlock_unlock(&world->destroying);
    PyEval_RestoreThread(tstate);
}

// Whoever finalizes is in no scope, and holds nothing up itself.
static void finalize(struct fuzz_player *player)
{
    if (!Py_IsInitialized()) {
        return;
    }
    guard_close(player);
    while (player->held > 0) {
        drop(player);
    }
    CX_CHECK(fuzz_warnings_ignore() == 0);
    if (player->world->mode == FUZZ_MISUSE) {
        atomic_store(&player->world->closing, 1);
    } else {
        destroyers_wait(player->world);
    }
    atomic_store(&player->world->objects, NULL);
    cx_note("Py_FinalizeEx begins");
    CX_CHECK(Py_FinalizeEx() == 0);
    cx_note("Py_FinalizeEx has returned");
    player->thread = NULL;
    player->scopes[0].model = (struct model_level){.where = -1, .bound = -1};
}

static void wait_threads(struct fuzz_player *player)
{
    PyThreadState *tstate = Py_IsInitialized() ? PyEval_SaveThread() : NULL;
    cx_wait_actors(player->world->run);
    if (tstate != NULL) {
        PyEval_RestoreThread(tstate);
    }
}

// What the documentation asks of somebody who does this here. The place of the table is half of it.
static int may(struct fuzz_player *player, const struct fuzz_op *op, const struct fuzz_objects *objects)
{
    const struct model_level *here = fuzz_level(player);
    enum fuzz_place place = fuzz_op_place(op->kind);
    int inside = here->where == 0 && here->forbidden == 0 && objects != NULL;
    int switches = op->kind == FUZZ_OP_ENTER_SHARED || op->kind == FUZZ_OP_ENTER_OWN || op->kind == FUZZ_OP_DESTROY ||
                   op->kind == FUZZ_OP_ENTER_KEPT || op->kind == FUZZ_OP_CLOSE_KEPT;
    if ((place == FUZZ_FREE && here->forbidden > 0) || (place == FUZZ_INSIDE && !inside) ||
        (place == FUZZ_PYTHON && (!inside || player->sections > 0)) ||
        (place == FUZZ_FIRST && (player->number != 0 || player->depth > 0))) {
        return 0;
    }
    switch (op->kind) {
    case FUZZ_OP_GILSTATE: // PyGILState_* do not support sub-interpreters
        return player->world->mode == FUZZ_MISUSE || (here->where <= 0 && here->bound <= 0);
    case FUZZ_OP_SAVE: // what the runtime has attached, it detaches itself
        return here->where >= 0 && !here->counted;
    case FUZZ_OP_FORK: // from the main thread only, says PyOS_BeforeFork
        return (player->world->mode == FUZZ_MISUSE || player->number == 0) &&
               fuzz_program_forks(&player->world->program);
    case FUZZ_OP_AT_EXIT:
    case FUZZ_OP_FINALIZE:
    case FUZZ_OP_INITIALIZE:
        return player->world->mode != FUZZ_CYCLE;
    default:
        return !switches || player->sections == 0;
    }
}

static void act(struct fuzz_player *player, const struct fuzz_op *op, struct fuzz_objects *objects)
{
    switch (op->kind) {
    case FUZZ_OP_CLOSE:
        if (player->depth > 0) {
            fuzz_scope_end(player);
        }
        break;
    case FUZZ_OP_ATTACH ... FUZZ_OP_ENSURE_VIEW:
    case FUZZ_OP_ENTER_KEPT:
        fuzz_scope_begin(player, op);
        break;
    case FUZZ_OP_GILSTATE ... FUZZ_OP_SECTION_TWO:
        fuzz_scope_begin_own(player, op, objects);
        break;
    case FUZZ_OP_POINT:
        sched_yield();
        break;
    case FUZZ_OP_MAKE:
        make(player, objects);
        break;
    case FUZZ_OP_DROP:
        if (player->world->mode == FUZZ_CANARY) {
            drop_wrongly(player, op);
        } else {
            drop(player);
        }
        break;
    case FUZZ_OP_CREATE:
        interp_create(player);
        break;
    case FUZZ_OP_DESTROY:
        interp_destroy(player);
        break;
    case FUZZ_OP_GUARD:
        guard_open(player);
        break;
    case FUZZ_OP_UNGUARD:
        guard_close(player);
        break;
    case FUZZ_OP_WAIT:
        wait_threads(player);
        break;
    case FUZZ_OP_FINALIZE:
        finalize(player);
        break;
    case FUZZ_OP_INITIALIZE:
        initialize(player);
        break;
    case FUZZ_OP_KEEP:
        fuzz_kept_open(player, op);
        break;
    case FUZZ_OP_CLOSE_KEPT:
        fuzz_kept_close(player, op);
        break;
    case FUZZ_OP_FORK:
        fuzz_fork(player, objects, op);
        break;
    default:
        fuzz_objects_touch(player, objects, op);
        break;
    }
}

static void ends(struct fuzz_player *player)
{
    fuzz_scope_end_all(player);
    fuzz_kept_close_all(player);
    guard_close(player);
    while (player->held > 0) {
        drop(player);
    }
    if (player->number != 0) {
        interp_destroy(player);
        return;
    }
    if (player->world->program.end != FUZZ_END_RETURN) {
        finalize(player);
    }
    if (player->world->program.end == FUZZ_END_RESTART) {
        initialize(player);
    }
    interp_destroy(player);
}

void fuzz_world_play(struct fuzz_world *world, uint32_t number)
{
    struct fuzz_player *player = &world->players[number];
    if (number > world->program.threads_more) {
        return;
    }
    for (uint32_t i = 0; i < FUZZ_OPS_MAX; i++) {
        const struct fuzz_op *op = &world->program.ops[number][i];
        struct fuzz_objects *objects = atomic_load(&world->objects);
        if (op->kind == FUZZ_OP_NOTHING || op->kind >= FUZZ_OP_COUNT || player->depth == FUZZ_DEPTH_MAX ||
            !may(player, op, objects)) {
            continue;
        }
        cx_note(fuzz_op_name(op->kind));
        act(player, op, objects);
        fuzz_agree(player);
    }
    ends(player);
}

static int player_begin(struct fuzz_world *world, uint32_t number)
{
    struct fuzz_player *player = &world->players[number];
    player->world = world;
    player->number = number;
    int outside = number == 0 ? 0 : -1;
    player->scopes[0].model = (struct model_level){.where = outside, .bound = outside};
    player->ids[1] = pyrt_interp_id(&world->shared);
    player->ids[2] = -1;
    if (pyrt_interp_main(&player->main) != PYRT_OK || pyrt_view_from_main(&player->view) != PYRT_OK) {
        return -1;
    }
    player->ids[0] = pyrt_interp_id(&player->main);
    return 0;
}

static void choose_field(void *context, uint8_t *value, uint32_t values)
{
    (void)context;
    *value = (uint8_t)cx_choose(values);
}

int fuzz_world_prepare(struct fuzz_world *world)
{
    struct pyrt_attach attach = {0};
    struct fuzz_objects *objects = &world->lives[world->lives_count++];
    if (fuzz_objects_make(objects) != 0 || pyrt_attach_assume(&attach) != PYRT_OK) {
        return -1;
    }
    atomic_store(&world->objects, objects);
    return pyrt_attach_release(&attach) == PYRT_OK ? 0 : -1;
}

int fuzz_world_begin(struct fuzz_world *world, struct cx_run *run, enum fuzz_mode mode)
{
    struct pyrt_attach attach = {0};
    world->run = run;
    world->mode = mode;
    pthread_rwlock_init(&world->destroying, NULL);
    fuzz_program_walk(&world->program, choose_field, NULL);
    world->program.end = mode == FUZZ_CYCLE ? FUZZ_END_RETURN : world->program.end;
    if ((world->lives_count == 0 && fuzz_world_prepare(world) != 0) ||
        fuzz_objects_help(&world->lives[0], &world->program) != 0 || pyrt_attach_assume(&attach) != PYRT_OK) {
        return -1;
    }
    if (fuzz_program_shares(&world->program) && pyrt_interp_create(&world->shared, NULL) != PYRT_OK) {
        return -1;
    }
    for (uint32_t i = 0; i <= world->program.threads_more; i++) {
        if (player_begin(world, i) != 0) {
            return -1;
        }
    }
    return pyrt_attach_release(&attach) == PYRT_OK ? 0 : -1;
}

// All that is left of a program that has finalized nothing.
static void world_end(struct fuzz_world *world)
{
    for (uint32_t i = 0; i <= world->program.threads_more; i++) {
        struct fuzz_player *player = &world->players[i];
        fuzz_objects_touch(player, &world->lives[0], &(struct fuzz_op){.kind = FUZZ_OP_JOIN});
        interp_destroy(player);
        CX_CHECK(pyrt_interp_is_empty(&player->own));
        CX_CHECK(pyrt_interp_destroy(&player->main) == PYRT_OK);
    }
    if (!pyrt_interp_is_empty(&world->shared)) {
        CX_CHECK(pyrt_interp_destroy(&world->shared) == PYRT_OK);
    }
    fuzz_objects_drop(&world->lives[0], &world->program);
    pthread_rwlock_destroy(&world->destroying);
}

// Programs after which the collector, which checks every object that it comes to in a debug build, has something to see
// to: what they did to its own accounts, or to what it has to clear.
static int collects(const struct fuzz_program *program)
{
    return fuzz_program_has(program, FUZZ_OP_FREEZE) || fuzz_program_has(program, FUZZ_OP_WEAKREF) ||
           fuzz_program_has(program, FUZZ_OP_CREATE);
}

void fuzz_world_check(struct fuzz_world *world)
{
    const struct fuzz_objects *objects = &world->lives[0];
    struct pyrt_pool_stats stats;
    for (uint32_t i = 0; i <= world->program.threads_more; i++) {
        pyrt_view_close(world->players[i].view);
        pyrt_pool_close(world->players[i].pool);
    }
    if (atomic_load(&world->closing)) {
        return;
    }
    struct pyrt_attach attach = {0};
    CX_CHECK(!cx_any_parked(world->run));
    CX_CHECK(pyrt_attach_assume(&attach) == PYRT_OK);
    fuzz_objects_work(objects); // merges of counts that other threads have asked for
    pyrt_pool_stats(&stats);
    // A collection takes what comes late, and half of the time of a run: only where something is left.
    if (!fuzz_objects_settled(objects) || stats.queued != stats.drained || collects(&world->program)) {
        PyGC_Collect();
        pyrt_pool_stats(&stats);
    }
    CX_CHECK(fuzz_objects_settled(objects));
    CX_CHECK(stats.queued == stats.drained && stats.dropped == 0 && stats.leaked == 0);
    world_end(world);
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}
