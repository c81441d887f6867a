// SPDX-License-Identifier: Apache-2.0
//
// detach/drop_while_detached: threads drop objects between a detach and its end, while others come and go.
// Question: when is the reference dropped, and can the thread's own return miss it?
// Verdict:  never while it is dropped, and at the latest when the thread is back; each exactly once.
// How:      PyO3's test_pyobject_drop_detached_doesnt_decrease_refcnt, test_detached_drop_is_collected_on_next_attach
//           and test_detach_pass_stuff_in, with visitors that may drain first.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#include <stdatomic.h>

#define DROPPERS 2
#define EACH 2

struct state {
    struct pyrt_pool_stats before; // const after init
    atomic_int destroyed;          // atomic
};

static void on_destroy(PyObject *capsule)
{
    struct state *state = PyCapsule_GetPointer(capsule, NULL);
    CX_CHECK(PyThreadState_GetUnchecked() != NULL && pyrt_is_attached());
    atomic_fetch_add(&state->destroyed, 1);
}

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    pyrt_pool_stats(&state->before);
    return 0;
}

static void drop_outside(PyObject *sole, PyObject *shared)
{
    struct pyrt_detach detach = {0};
    struct pyrt_pool_stats before;
    struct pyrt_pool_stats after;
    CX_CHECK(pyrt_detach_begin(&detach) == PYRT_OK);
    pyrt_pool_stats(&before);
    CX_CHECK(pyrt_pool_decref(sole) == PYRT_OK);
    CX_CHECK(pyrt_pool_decref(shared) == PYRT_OK);
    pyrt_pool_stats(&after);
    CX_CHECK(after.queued >= before.queued + 2);
    CX_CHECK(pyrt_detach_end(&detach) == PYRT_OK);
}

static void dropper(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_attach outer = {0};
    struct pyrt_attach inner = {0};
    CX_CHECK(pyrt_attach_try(&outer) == PYRT_OK);
    CX_CHECK(pyrt_attach_try(&inner) == PYRT_OK);
    for (int i = 0; i < EACH; i++) {
        PyObject *sole = PyCapsule_New(state, NULL, on_destroy);
        PyObject *shared = PyList_New(0);
        CX_CHECK(sole != NULL && shared != NULL);
        drop_outside(sole, Py_NewRef(shared));
        CX_CHECK(Py_REFCNT(shared) >= 1);
        Py_DECREF(shared);
    }
    CX_CHECK(pyrt_attach_release(&inner) == PYRT_OK && pyrt_is_attached());
    CX_CHECK(pyrt_attach_release(&outer) == PYRT_OK && !pyrt_is_attached());
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
    const struct state *state = memory;
    struct pyrt_pool_stats stats;
    pyrt_pool_stats(&stats);
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(stats.queued - state->before.queued == DROPPERS * EACH * 2 && stats.drained == stats.queued);
    CX_CHECK(stats.immediate == 0);
    CX_CHECK(atomic_load(&state->destroyed) == DROPPERS * EACH);
}

const struct cx_scenario scenario_detach_drop_while_detached = {
    .summary = "threads drop objects between a detach and its end, while others come and go",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"dropper", dropper, .count = DROPPERS}, {"visitor", visitor}},
    .cycle = CX_CYCLE,
    .tags = "detach,pool,runtime",
    .refs = "PyO3#6200",
};
