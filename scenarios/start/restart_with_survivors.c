// SPDX-License-Identifier: Apache-2.0
//
// start/restart_with_survivors: main finalizes and starts Python again; threads that keep things of the first
//                               interpreter live on beside it.
// Question: can a kept thread state, an attach or a pool of the first interpreter reach into the second one?
// Verdict:  no: they answer that theirs is gone; a new attach is inside one interpreter from its beginning to its end.
// How:      each survivor goes on at its own pace, before, during and after the restart. It exceeds pybind11's "Restart
//           the interpreter", where no thread lives through the restart.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#include <stdatomic.h>

#define SURVIVORS 2
#define ROUNDS 3

struct state {
    struct pyrt_interp main_interp; // const after init
    struct pyrt_pool *pool;         // const after init: the first interpreter's
    PyObject *objects[SURVIVORS];   // owner thread only: the survivor, then the pool
    atomic_int ended;               // atomic: finalizations that have returned
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_attach attach = {0};
    for (int i = 0; i < SURVIVORS; i++) {
        state->objects[i] = PyList_New(0);
    }
    if (pyrt_attach_assume(&attach) != PYRT_OK || pyrt_interp_main(&state->main_interp) != PYRT_OK) {
        return -1;
    }
    state->pool = pyrt_pool_open();
    return state->pool != NULL ? -(pyrt_attach_release(&attach) != PYRT_OK) : -1;
}

static int refused(enum pyrt_status status)
{
    return status == PYRT_FINALIZING || status == PYRT_GONE || status == PYRT_NOT_INITIALIZED;
}

static void attach_once(struct state *state)
{
    struct pyrt_attach attach = {0};
    enum pyrt_status status = pyrt_attach_try(&attach);
    if (status == PYRT_OK) {
        int ended = atomic_load(&state->ended);
        PyObject *list = PyList_New(1);
        CX_CHECK(list != NULL);
        Py_DECREF(list);
        CX_CHECK(pyrt_is_attached() && atomic_load(&state->ended) == ended);
        CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
    } else {
        CX_CHECK(refused(status));
    }
}

static void survivor(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    struct pyrt_tstate kept = {0};
    enum pyrt_status opened = pyrt_tstate_open(&kept, &state->main_interp);
    CX_CHECK(opened == PYRT_OK || refused(opened));
    for (int i = 0; i < ROUNDS && opened == PYRT_OK; i++) {
        struct pyrt_activate inside = {0};
        enum pyrt_status status = pyrt_activate_begin_with(&inside, &kept);
        if (status == PYRT_OK) {
            CX_CHECK(atomic_load(&state->ended) == 0);
            CX_CHECK(pyrt_activate_end(&inside) == PYRT_OK);
        } else {
            CX_CHECK(refused(status));
        }
        attach_once(state);
    }
    if (opened == PYRT_OK) {
        enum pyrt_status status = pyrt_tstate_close(&kept);
        CX_CHECK(status == PYRT_OK || refused(status));
    }
    enum pyrt_status dropped = pyrt_pool_decref_in(state->pool, state->objects[cx_actor_index(run)]);
    CX_CHECK(dropped == PYRT_OK || dropped == PYRT_FINALIZING);
    attach_once(state);
}

static int start(void *unused)
{
    (void)unused;
    return cx_python_start();
}

static void restarter(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    const struct pyrt_init init = {.start = start, .restart = 1};
    CX_CHECK(Py_FinalizeEx() == 0);
    atomic_fetch_add(&state->ended, 1);
    cx_note("finalized; main starts Python again");
    CX_CHECK(pyrt_initialize(&init) == PYRT_OK);
}

static void check(struct cx_run *run, void *memory)
{
    const struct state *state = memory;
    struct pyrt_pool_stats stats;
    pyrt_pool_stats_in(state->pool, &stats);
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(stats.queued == SURVIVORS && stats.drained + stats.dropped == stats.queued);
    pyrt_pool_close(state->pool);
}

const struct cx_scenario scenario_start_restart_with_survivors = {
    .summary = "main finalizes and starts Python again, threads keep things of the first interpreter",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .wall_ms_max = 120000,
    .actors = {{"restarter", restarter, .flags = CX_ACTOR_MAIN}, {"survivor", survivor, .count = SURVIVORS}},
    .tags = "start,finalize,attach,pool,runtime",
};
