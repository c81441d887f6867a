// SPDX-License-Identifier: Apache-2.0
//
// lifecycle_world: what the threads of a program share, and what each has for itself. The side of a runner.
//
// Locking: `destroying` is held for reading by who ends a subinterpreter, and for writing, detached, by who lets a
// finalization begin. Else none: what is shared is made before the threads are, or published whole through an atomic
// pointer.
#ifndef CX_FUZZ_LIFECYCLE_WORLD_H
#define CX_FUZZ_LIFECYCLE_WORLD_H

#include <Python.h>

#include <pthread.h>
#include <stdatomic.h>

#include "fuzz/lifecycle.h"
#include "harness/scenario.h"
#include "pyrt/pyrt.h"
#include "runtime/tests/model.h"

#define FUZZ_DEPTH_MAX 12
#define FUZZ_RESTARTS_MAX 4 // an interpreter that is started more often is not started

// The objects of one life of the interpreter. References of its own, which go with it.
struct fuzz_objects {
    PyObject *anchor;               // const after init
    PyObject *pair[2];              // const after init
    PyObject *list;                 // const after init
    PyObject *dict;                 // const after init
    PyObject *type;                 // const after init
    PyObject *keys[FUZZ_ARGUMENTS]; // const after init
    PyObject *work;                 // const after init
    PyObject *start_thread;         // const after init; NULL, as those that follow, where no operation needs it
    PyObject *trace_memory[2];      // const after init
    PyObject *freeze[2];            // const after init
    PyObject *at_exit;              // const after init
};

// A scope that a thread is in. model.scope says nothing where kind is none of the runtime's.
struct fuzz_scope {
    uint8_t kind; // enum fuzz_op_kind
    struct model_level model;
    struct pyrt_critical section;
    PyGILState_STATE gil;
    PyThreadState *saved;
};

struct fuzz_player {
    struct fuzz_world *world;
    uint32_t number;
    uint32_t depth;
    uint32_t sections; // that it is in
    struct fuzz_scope scopes[FUZZ_DEPTH_MAX + 1];
    struct pyrt_view *view; // of the main interpreter
    struct pyrt_guard *guard;
    struct pyrt_pool *pool;  // of what it holds
    uint32_t held;           // references to the anchor
    struct pyrt_interp own;  // that it has made, or empty
    struct pyrt_interp main; // borrowed
    struct pyrt_tstate kept[FUZZ_ARGUMENTS];
    PyObject *thread;                 // of Python that it has started,
    struct fuzz_objects *thread_life; // in this life
    struct fuzz_objects *pool_life;   // that the pool belongs to
    int64_t ids[3];                   // of the interpreters of its model: main, shared, own
};

enum fuzz_mode {
    FUZZ_RESPECT,
    FUZZ_MISUSE, // nothing is passed over that can be called at all
    FUZZ_CANARY, // one operation is broken, to see whether that is found
    FUZZ_CYCLE,  // what cannot be taken back is passed over: finalizations, and callbacks for them
};

struct fuzz_world {
    struct cx_run *run;                           // const after init
    struct fuzz_program program;                  // const after init
    enum fuzz_mode mode;                          // const after init
    _Atomic(struct fuzz_objects *) objects;       // atomic: of this life; NULL from just before its end
    struct fuzz_objects lives[FUZZ_RESTARTS_MAX]; // const after init, each
    uint32_t lives_count;                         // owner thread only
    atomic_int closing;                           // atomic: a finalization has begun
    pthread_rwlock_t destroying;                  // const after init
    struct pyrt_interp shared;                    // const after init
    struct fuzz_player players[FUZZ_THREADS_MAX]; // owner thread only, each
};

// Make the objects, and let the runtime meet the interpreter: what all programs begin with. Thread state: attached.
// 0 or -1.
int fuzz_world_prepare(struct fuzz_world *world);
// Draw the program and make the world; what has not been prepared is made first. Thread state: attached. 0 or -1.
int fuzz_world_begin(struct fuzz_world *world, struct cx_run *run, enum fuzz_mode mode);
// Play the operations of a thread. Thread 0 ends as its program says.
void fuzz_world_play(struct fuzz_world *world, uint32_t number);
// What must hold when every thread is done; then, if nothing was finalized, all goes that the program has made. Thread
// state: attached if there is an interpreter.
void fuzz_world_check(struct fuzz_world *world);

// lifecycle_scopes.c: what the model says of a thread where it stands.
struct model_level *fuzz_level(struct fuzz_player *player);
// 1 if a finalization has begun, from when on the model knows nothing.
int fuzz_closing(const struct fuzz_player *player);
// Compare the thread with its model.
void fuzz_agree(struct fuzz_player *player);
// Begin a scope of the runtime; or one of CPython's own.
void fuzz_scope_begin(struct fuzz_player *player, const struct fuzz_op *op);
void fuzz_scope_begin_own(struct fuzz_player *player, const struct fuzz_op *op, struct fuzz_objects *objects);
// End the innermost scope, of which there is one; or all.
void fuzz_scope_end(struct fuzz_player *player);
void fuzz_scope_end_all(struct fuzz_player *player);
// Make a thread state and keep it, where there is none yet; and delete it. All: outside of every scope.
void fuzz_kept_open(struct fuzz_player *player, const struct fuzz_op *op);
void fuzz_kept_close(struct fuzz_player *player, const struct fuzz_op *op);
void fuzz_kept_close_all(struct fuzz_player *player);

// lifecycle_fork.c: fork, let the child do a little, and look at how it ended. Thread state: attached to the main
// interpreter.
void fuzz_fork(struct fuzz_player *player, struct fuzz_objects *objects, const struct fuzz_op *op);

// lifecycle_objects.c: make the objects of a new life. 0 or -1.
int fuzz_objects_make(struct fuzz_objects *objects);
// The functions that the operations of this program need beside them. Thread state: attached. 0 or -1.
int fuzz_objects_help(struct fuzz_objects *objects, const struct fuzz_program *program);
// Give the references up, and what the program has switched on. Thread state: attached.
void fuzz_objects_drop(struct fuzz_objects *objects, const struct fuzz_program *program);
// A finalization that finds subinterpreters warns of them. Nobody reads it, and to show it CPython imports `warnings`
// and all that this needs, which takes longer than the rest of many programs. 0 or -1. Thread state: attached.
int fuzz_warnings_ignore(void);
// 1 if each of the objects that nothing else refers to has the one reference that is kept here. Thread state: attached.
int fuzz_objects_settled(const struct fuzz_objects *objects);
// Run a function of Python, and with it what CPython has kept for the next one. Thread state: attached.
void fuzz_objects_work(const struct fuzz_objects *objects);
// Do something to objects or to the interpreter; the thread is attached to it. Exceptions are dropped.
void fuzz_objects_touch(struct fuzz_player *player, struct fuzz_objects *objects, const struct fuzz_op *op);

#endif
