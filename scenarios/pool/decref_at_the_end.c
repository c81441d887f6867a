// SPDX-License-Identifier: Apache-2.0
//
// pool/decref_at_the_end: threads without a thread state drop references while the main thread finalizes, and after.
// Question: is what is still queued when the interpreter goes away touched, or lost from the account?
// Verdict:  neither: queued = drained + dropped, and no destructor runs after Py_FinalizeEx.
// How:      PyO3's test_pybuffer_drop_without_interpreter, at every moment of finalization.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"
#include "scenarios/common/steps.h"

#include <stdatomic.h>

#define DROPPERS 2
#define EACH 4

struct state {
    PyObject *objects[DROPPERS][EACH]; // owner thread only: the dropper, then the pool
    atomic_int destroyed;              // atomic
    atomic_int finalized;              // atomic
};

static void on_destroy(PyObject *capsule)
{
    struct state *state = PyCapsule_GetPointer(capsule, NULL);
    CX_CHECK(!atomic_load(&state->finalized));
    CX_CHECK(PyThreadState_GetUnchecked() != NULL);
    atomic_fetch_add(&state->destroyed, 1);
}

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_attach attach = {0};
    for (int i = 0; i < DROPPERS * EACH; i++) {
        state->objects[i / EACH][i % EACH] = PyCapsule_New(state, NULL, on_destroy);
        if (state->objects[i / EACH][i % EACH] == NULL) {
            return -1;
        }
    }
    return pyrt_attach_assume(&attach) == PYRT_OK && pyrt_attach_release(&attach) == PYRT_OK ? 0 : -1;
}

static void dropper(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    uint32_t self = cx_actor_index(run);
    for (int i = 0; i < EACH; i++) {
        enum pyrt_status status = pyrt_pool_decref(state->objects[self][i]);
        CX_CHECK(status == PYRT_OK || status == PYRT_FINALIZING);
        struct pyrt_attach attach = {0};
        if (i % 2 == 1 && pyrt_attach_try(&attach) == PYRT_OK) {
            CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
        }
    }
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    steps_finalize(&state->finalized);
    cx_note("Py_FinalizeEx has returned");
}

static void check(struct cx_run *run, void *memory)
{
    const struct state *state = memory;
    struct pyrt_pool_stats stats;
    pyrt_pool_stats(&stats);
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(stats.queued == DROPPERS * EACH);
    CX_CHECK(stats.drained + stats.dropped == stats.queued);
    CX_CHECK(stats.immediate == 0 && stats.leaked == 0);
    CX_CHECK(stats.peak <= stats.queued);
    // Without the GIL a drained object goes back to the thread that made it; finalization destroys it there.
    CX_CHECK((uint64_t)atomic_load(&state->destroyed) == stats.drained);
}

const struct cx_scenario scenario_pool_decref_at_the_end = {
    .summary = "threads drop references while the main thread finalizes, and after",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"dropper", dropper, .count = DROPPERS}},
    .tags = "pool,finalize,runtime",
    .refs = "PyO3#5242",
};
