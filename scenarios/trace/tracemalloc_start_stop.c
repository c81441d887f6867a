// SPDX-License-Identifier: Apache-2.0
//
// trace/tracemalloc_start_stop: threads start and stop tracemalloc, while another allocates without a thread state.
// Question: can two starts meet, or a start wait for who waits for it?
// Verdict:  neither may happen. The second start asserts that nothing is traced yet, after both have looked (open).
// How:      two threads call tracemalloc.start and stop in turn; a third uses the raw allocator, never attached.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#define ROUNDS 2

struct state {
    PyObject *start; // const after init
    PyObject *stop;  // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->start = raw_function("import tracemalloc\nstart = tracemalloc.start\nstop = tracemalloc.stop\n", "start");
    state->stop = raw_function("", "stop");
    return state->start != NULL && state->stop != NULL ? 0 : -1;
}

static void tracer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyGILState_STATE gil = PyGILState_Ensure();
    for (int i = 0; i < ROUNDS; i++) {
        CX_CHECK(raw_call(state->start) == 0);
        CX_CHECK(raw_call(state->stop) == 0);
    }
    PyGILState_Release(gil);
}

static void allocator(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    for (int i = 0; i < ROUNDS; i++) {
        void *block = PyMem_RawMalloc(64);
        CX_CHECK(block != NULL);
        cx_point("allocated");
        PyMem_RawFree(block);
    }
}

static void check(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(raw_call(state->stop) == 0);
    Py_DECREF(state->start);
    Py_DECREF(state->stop);
}

const struct cx_scenario scenario_trace_tracemalloc_start_stop = {
    .summary = "threads start and stop tracemalloc, while another allocates without a thread state",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"tracer", tracer, .count = 2}, {"allocator", allocator}},
    .tags = "trace,tracemalloc",
    .refs = "gh-126315,gh-137992,gh-139116,gh-155725",
};
