// SPDX-License-Identifier: Apache-2.0
//
// lock/code_extra: threads attach data of their own to the same code object, and read it back.
// Question: does a slot that one thread sets get lost when another one makes the array longer?
// Verdict:  no from 3.14.4 on. Before, without the GIL, setter and setter, or setter and reader, meet in the array.
// How:      each thread has an index of its own, requested in setup; a fresh code object each round. The allocator lets
//           others in when the array is made longer, as one that takes a lock would.
#include <Python.h>

#include "harness/scenario.h"

#define THREADS 3
#define ROUNDS 3

struct state {
    PyObject *codes[ROUNDS]; // const after init
    Py_ssize_t at[THREADS];  // const after init
};

static PyMemAllocatorEx before;   // const after init
static _Thread_local int setting; // owner thread only: inside PyUnstable_Code_SetExtra

static void *switching_malloc(void *context, size_t bytes)
{
    (void)context;
    return before.malloc(before.ctx, bytes);
}

static void *switching_calloc(void *context, size_t count, size_t bytes)
{
    (void)context;
    return before.calloc(before.ctx, count, bytes);
}

static void *switching_realloc(void *context, void *old, size_t bytes)
{
    (void)context;
    if (setting) {
        cx_point("the array is made longer");
    }
    return before.realloc(before.ctx, old, bytes);
}

static void plain_free(void *context, void *block)
{
    (void)context;
    before.free(before.ctx, block);
}

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyMemAllocatorEx switching = {NULL, switching_malloc, switching_calloc, switching_realloc, plain_free};
    PyMem_GetAllocator(PYMEM_DOMAIN_MEM, &before);
    PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &switching);
    for (int i = 0; i < ROUNDS; i++) {
        state->codes[i] = Py_CompileString("pass", "<scenario>", Py_file_input);
        if (state->codes[i] == NULL) {
            return -1;
        }
    }
    for (int i = 0; i < THREADS; i++) {
        state->at[i] = PyUnstable_Eval_RequestCodeExtraIndex(NULL);
        if (state->at[i] < 0) {
            return -1;
        }
    }
    return 0;
}

static void marker(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    Py_ssize_t at = state->at[cx_actor_index(run)];
    PyGILState_STATE gil = PyGILState_Ensure();
    for (int i = 0; i < ROUNDS; i++) {
        void *extra = NULL;
        setting = 1;
        CX_CHECK(PyUnstable_Code_SetExtra(state->codes[i], at, &state->at[cx_actor_index(run)]) == 0);
        setting = 0;
        CX_CHECK(PyUnstable_Code_GetExtra(state->codes[i], at, &extra) == 0);
        CX_CHECK(extra == &state->at[cx_actor_index(run)]);
    }
    PyGILState_Release(gil);
}

static void check(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    for (int i = 0; i < ROUNDS * THREADS; i++) {
        void *extra = NULL;
        CX_CHECK(PyUnstable_Code_GetExtra(state->codes[i / THREADS], state->at[i % THREADS], &extra) == 0);
        CX_CHECK(extra == &state->at[i % THREADS]);
    }
}

const struct cx_scenario scenario_lock_code_extra = {
    .summary = "threads attach data of their own to the same code object, and read it back",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"marker", marker, .count = THREADS}},
    .tags = "lock,code",
    .refs = "gh-144981",
};
