// SPDX-License-Identifier: Apache-2.0
//
// pool/reentrant_drain: destructors that a drain runs attach, detach, and put references into the pool themselves.
// Question: can a drain that is entered again deadlock, lose a reference or drop one twice?
// Verdict:  never: nothing is held while decrements are applied, and each object is destroyed exactly once.
// How:      each parent's destructor nests an attach, detaches, drops its child there (which queues it) and comes back
//           (which drains), with other threads draining meanwhile.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#include <stdatomic.h>

#define DROPPERS 2
#define EACH 2 // parents of each dropper, with one child each

struct state;

struct parent {
    struct state *state; // owner thread only: the dropper, then the destructor
    PyObject *child;     // owner thread only: the destructor
};

struct state {
    struct parent parents[DROPPERS][EACH]; // owner thread only: the dropper, then the destructor
    PyObject *objects[DROPPERS][EACH];     // owner thread only: the dropper, then the pool
    atomic_int parents_destroyed;          // atomic
    atomic_int children_destroyed;         // atomic
};

static void on_destroy_child(PyObject *capsule)
{
    struct state *state = PyCapsule_GetPointer(capsule, NULL);
    CX_CHECK(pyrt_is_attached());
    atomic_fetch_add(&state->children_destroyed, 1);
}

static void on_destroy_parent(PyObject *capsule)
{
    struct parent *parent = PyCapsule_GetPointer(capsule, NULL);
    struct pyrt_attach attach = {0};
    struct pyrt_detach detach = {0};
    atomic_fetch_add(&parent->state->parents_destroyed, 1);
    CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
    CX_CHECK(pyrt_pool_drain() == PYRT_OK);
    CX_CHECK(pyrt_detach_begin(&detach) == PYRT_OK);
    CX_CHECK(pyrt_pool_decref(parent->child) == PYRT_OK);
    CX_CHECK(pyrt_detach_end(&detach) == PYRT_OK);
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

// Makes the objects too, and leaves: without the GIL an object is destroyed by its maker as long as that has a thread
// state, and on the spot, which is in the drain, once it has none.
static void make(struct state *state, uint32_t self)
{
    struct pyrt_attach attach = {0};
    CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
    for (int i = 0; i < EACH; i++) {
        struct parent *parent = &state->parents[self][i];
        parent->state = state;
        parent->child = PyCapsule_New(state, NULL, on_destroy_child);
        state->objects[self][i] = PyCapsule_New(parent, NULL, on_destroy_parent);
        CX_CHECK(parent->child != NULL && state->objects[self][i] != NULL);
    }
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

static void dropper(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    uint32_t self = cx_actor_index(run);
    make(state, self);
    for (int i = 0; i < EACH; i++) {
        CX_CHECK(pyrt_pool_decref(state->objects[self][i]) == PYRT_OK);
    }
}

static void visitor(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    for (int i = 0; i < 2; i++) {
        struct pyrt_attach attach = {0};
        CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
        CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
    }
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_attach attach = {0};
    CX_CHECK(pyrt_attach_assume(&attach) == PYRT_OK);
    struct pyrt_pool_stats stats;
    pyrt_pool_stats(&stats);
    CX_CHECK(stats.queued == stats.drained);
    CX_CHECK(stats.leaked == 0);
    CX_CHECK(atomic_load(&state->parents_destroyed) == DROPPERS * EACH);
    CX_CHECK(atomic_load(&state->children_destroyed) == DROPPERS * EACH);
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

const struct cx_scenario scenario_pool_reentrant_drain = {
    .summary = "destructors that a drain runs attach, detach and use the pool themselves",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .check = check,
    .actors = {{"dropper", dropper, .count = DROPPERS}, {"visitor", visitor, .count = 2}},
    .cycle = CX_CYCLE,
    .tags = "pool,runtime,reentrancy",
    .refs = "PyO3#924",
};
