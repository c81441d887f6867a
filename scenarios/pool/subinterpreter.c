// SPDX-License-Identifier: Apache-2.0
//
// pool/subinterpreter: references to objects of two interpreters are dropped from outside, while threads come and go in
// both and one of the interpreters ends.
// Question: does every destructor run inside the interpreter that made its object, or not at all?
// Verdict:  yes: each interpreter has its own queue; what is in that of an ended one is counted as dropped.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#include <stdatomic.h>

#define EACH 3

struct state {
    struct pyrt_interp interp;  // const after init; the visitor's, which destroys it
    struct pyrt_pool *pools[2]; // const after init
    int64_t ids[2];             // const after init
    PyObject *objects[2][EACH]; // owner thread only: the dropper, then the pools
    atomic_int destroyed[2];    // atomic
};

static struct state *shared; // const after init

static void on_destroy(PyObject *capsule)
{
    const int64_t *id = PyCapsule_GetPointer(capsule, NULL);
    CX_CHECK(PyInterpreterState_GetID(PyInterpreterState_Get()) == *id);
    atomic_fetch_add(&shared->destroyed[id - shared->ids], 1);
}

// Attached to the interpreter.
static int make(struct state *state, int which)
{
    state->pools[which] = pyrt_pool_open();
    state->ids[which] = PyInterpreterState_GetID(PyInterpreterState_Get());
    for (int i = 0; i < EACH; i++) {
        state->objects[which][i] = PyCapsule_New(&state->ids[which], NULL, on_destroy);
        if (state->pools[which] == NULL || state->objects[which][i] == NULL) {
            return -1;
        }
    }
    return 0;
}

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_attach attach = {0};
    struct pyrt_activate inside = {0};
    shared = state;
    if (pyrt_interp_create(&state->interp, NULL) != PYRT_OK || pyrt_attach_assume(&attach) != PYRT_OK ||
        make(state, 0) != 0 || pyrt_activate_begin(&inside, &state->interp) != PYRT_OK || make(state, 1) != 0) {
        return -1;
    }
    return pyrt_activate_end(&inside) == PYRT_OK && pyrt_attach_release(&attach) == PYRT_OK ? 0 : -1;
}

static void dropper(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < EACH; i++) {
        CX_CHECK(pyrt_pool_decref_in(state->pools[0], state->objects[0][i]) == PYRT_OK);
        enum pyrt_status status = pyrt_pool_decref_in(state->pools[1], state->objects[1][i]);
        CX_CHECK(status == PYRT_OK || status == PYRT_FINALIZING);
    }
}

static void visitor(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_attach attach = {0};
    struct pyrt_activate inside = {0};
    CX_CHECK(pyrt_attach_try(&attach) == PYRT_OK);
    CX_CHECK(pyrt_activate_begin(&inside, &state->interp) == PYRT_OK);
    CX_CHECK(pyrt_activate_end(&inside) == PYRT_OK);
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
    CX_CHECK(pyrt_interp_destroy(&state->interp) == PYRT_OK);
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_attach attach = {0};
    struct pyrt_pool_stats stats;
    CX_CHECK(pyrt_attach_assume(&attach) == PYRT_OK);
    PyGC_Collect();
    pyrt_pool_stats_in(state->pools[0], &stats);
    CX_CHECK(stats.queued == EACH && stats.drained == EACH && stats.dropped == 0);
    CX_CHECK(atomic_load(&state->destroyed[0]) == EACH);
    pyrt_pool_stats_in(state->pools[1], &stats);
    CX_CHECK(stats.drained + stats.dropped == stats.queued && stats.queued == EACH);
    CX_CHECK((uint64_t)atomic_load(&state->destroyed[1]) == stats.drained);
    pyrt_pool_close(state->pools[0]);
    pyrt_pool_close(state->pools[1]);
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

const struct cx_scenario scenario_pool_subinterpreter = {
    .summary = "references to objects of two interpreters are dropped from outside",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"dropper", dropper}, {"visitor", visitor}},
    .tags = "pool,interp,runtime",
};
