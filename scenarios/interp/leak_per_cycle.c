// SPDX-License-Identifier: Apache-2.0
//
// interp/leak_per_cycle: subinterpreters come and go, and what the raw allocator has given out is counted.
// Question: is anything left of a subinterpreter that has ended, or that could not be made?
// Verdict:  nothing that grows. 3.13.5 keeps the strings of the PyConfig of each one that is refused (gh-140301).
// How:      two threads make and end one each, side by side; then, alone, two more, each with one that is refused: its
//           allocator and its extension modules do not go together. The second turn must leave nothing that the first
//           did not.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#include <stdatomic.h>

static PyMemAllocatorEx before; // const after init
static atomic_long live;        // atomic: blocks of the raw domain

static void *count_malloc(void *context, size_t bytes)
{
    (void)context;
    void *block = before.malloc(before.ctx, bytes);
    atomic_fetch_add(&live, block != NULL);
    return block;
}

static void *count_calloc(void *context, size_t count, size_t bytes)
{
    (void)context;
    void *block = before.calloc(before.ctx, count, bytes);
    atomic_fetch_add(&live, block != NULL);
    return block;
}

static void *count_realloc(void *context, void *old, size_t bytes)
{
    (void)context;
    void *block = before.realloc(before.ctx, old, bytes);
    atomic_fetch_add(&live, old == NULL && block != NULL);
    return block;
}

static void count_free(void *context, void *block)
{
    (void)context;
    atomic_fetch_sub(&live, block != NULL);
    before.free(before.ctx, block);
}

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    PyMemAllocatorEx counting = {NULL, count_malloc, count_calloc, count_realloc, count_free};
    PyMem_GetAllocator(PYMEM_DOMAIN_RAW, &before);
    PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &counting);
    return 0;
}

// Make a subinterpreter and end it. Thread state: attached, to any interpreter.
static void cycle(void)
{
    PyThreadState *own = PyThreadState_Get();
    PyInterpreterState *interp = raw_interp_new(1);
    CX_CHECK(interp != NULL);
    PyEval_SaveThread();
    raw_interp_end(interp);
    PyEval_RestoreThread(own);
}

// Ask for one with a configuration that cannot be. Thread state: attached, to any interpreter.
static void refused(void)
{
    PyThreadState *own = PyThreadState_Get();
    PyThreadState *tstate = NULL;
    PyInterpreterConfig config = {.gil = PyInterpreterConfig_SHARED_GIL};
    PyStatus status = Py_NewInterpreterFromConfig(&tstate, &config);
    CX_CHECK(PyStatus_Exception(status) && tstate == NULL);
    CX_CHECK(PyThreadState_Get() == own);
}

static void maker(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    PyGILState_STATE gil = PyGILState_Ensure();
    cycle();
    PyGILState_Release(gil);
}

static void check(struct cx_run *run, void *memory)
{
    (void)memory;
    CX_CHECK(!cx_any_parked(run));
    cycle();
    refused();
    long first = atomic_load(&live);
    cycle();
    refused();
    CX_CHECK(atomic_load(&live) <= first);
}

const struct cx_scenario scenario_interp_leak_per_cycle = {
    .summary = "subinterpreters come and go, and what the raw allocator has given out is counted",
    .builds = CX_BUILD_ANY,
    .setup = setup,
    .check = check,
    .wall_ms_max = 120000,
    .actors = {{"maker", maker, .count = 2}},
    .tags = "interp,leak",
    .refs = "gh-140301",
};
