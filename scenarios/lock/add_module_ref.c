// SPDX-License-Identifier: Apache-2.0
//
// lock/add_module_ref: threads ask for a module by a name that none has yet.
// Question: do all get the same module?
// Verdict:  yes from 3.14.1 on. Before, two threads that both find nothing make two, and one of them is lost.
// How:      three threads, a new name each round, by PyImport_AddModuleRef.
#include <Python.h>

#include "harness/scenario.h"

#include <stdio.h>

#define THREADS 3
#define ROUNDS 3

struct state {
    PyObject *modules[THREADS][ROUNDS]; // owner thread only, then check
};

static void asker(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    PyGILState_STATE gil = PyGILState_Ensure();
    for (int i = 0; i < ROUNDS; i++) {
        char name[32];
        snprintf(name, sizeof(name), "a_new_module_%d", i);
        state->modules[cx_actor_index(run)][i] = PyImport_AddModuleRef(name);
        CX_CHECK(state->modules[cx_actor_index(run)][i] != NULL);
    }
    PyGILState_Release(gil);
}

static void check(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    for (int i = 0; i < THREADS * ROUNDS; i++) {
        CX_CHECK(state->modules[i / ROUNDS][i % ROUNDS] == state->modules[0][i % ROUNDS]);
    }
}

const struct cx_scenario scenario_lock_add_module_ref = {
    .summary = "threads ask for a module by a name that none has yet",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .check = check,
    .actors = {{"asker", asker, .count = THREADS}},
    .tags = "lock,import",
    .refs = "gh-137422",
};
