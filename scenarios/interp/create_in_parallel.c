// SPDX-License-Identifier: Apache-2.0
//
// interp/create_in_parallel: native threads create, use and destroy subinterpreters of their own, side by side.
// Question: does each get an interpreter of its own, whole, and is nothing left of it?
// Verdict:  yes: ids differ, objects stay apart, no thread keeps a thread state.
// How:      the threads begin without a thread state, so that each creation attaches to the main interpreter meanwhile.
//           CPython's test_interpreters/test_stress, and pybind11's "Create Subinterpreter without a thread state".
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#include <stdatomic.h>

#define MAKERS 2

struct state {
    _Atomic int64_t ids[MAKERS]; // atomic
    atomic_int destroyed;        // atomic
};

static void maker(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    uint32_t self = cx_actor_index(run);
    struct pyrt_interp interp = {0};
    struct pyrt_activate inside = {0};
    PyObject *dict = NULL;
    CX_CHECK(pyrt_interp_create(&interp, NULL) == PYRT_OK);
    CX_CHECK(PyThreadState_GetUnchecked() == NULL);
    int64_t id = pyrt_interp_id(&interp);
    atomic_store(&state->ids[self], id);
    CX_CHECK(pyrt_activate_begin(&inside, &interp) == PYRT_OK);
    CX_CHECK(PyInterpreterState_GetID(PyInterpreterState_Get()) == id);
    CX_CHECK(pyrt_interp_dict(&interp, &dict) == PYRT_OK);
    CX_CHECK(PyDict_GetItemString(dict, "mine") == NULL);
    PyObject *number = PyLong_FromLong(100000 + (long)self);
    CX_CHECK(number != NULL && PyDict_SetItemString(dict, "mine", number) == 0);
    Py_DECREF(number);
    cx_point("inside");
    CX_CHECK(PyLong_AsLong(PyDict_GetItemString(dict, "mine")) == 100000 + (long)self);
    CX_CHECK(pyrt_interp_destroy(&interp) == PYRT_BUSY);
    CX_CHECK(pyrt_activate_end(&inside) == PYRT_OK);
    CX_CHECK(pyrt_interp_destroy(&interp) == PYRT_OK);
    CX_CHECK(pyrt_interp_is_empty(&interp) && PyThreadState_GetUnchecked() == NULL);
    atomic_fetch_add(&state->destroyed, 1);
}

static void check(struct cx_run *run, void *memory)
{
    const struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(atomic_load(&state->destroyed) == MAKERS);
    CX_CHECK(atomic_load(&state->ids[0]) != atomic_load(&state->ids[1]));
    CX_CHECK(PyInterpreterState_Next(PyInterpreterState_Head()) == NULL);
}

const struct cx_scenario scenario_interp_create_in_parallel = {
    .summary = "native threads create, use and destroy subinterpreters of their own, side by side",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .check = check,
    .wall_ms_max = 120000,
    .actors = {{"maker", maker, .count = MAKERS}},
    .cycle = CX_CYCLE,
    .tags = "interp,runtime",
    .refs = "pybind11#6127",
};
