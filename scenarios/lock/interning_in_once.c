// SPDX-License-Identifier: Apache-2.0
//
// lock/interning_in_once: threads intern new strings inside a native lock, as in the guard of a C++ static; others
//                         collect garbage.
// Question: does PyUnicode_InternFromString let go of the interpreter, so that the lock's holder can be stopped?
// Verdict:  never from 3.14.7 on, without the GIL. Before, its own mutex detaches whoever waits for it: the holder is
//           stopped with the lock, and a thread that waits for the lock, attached, is never stopped. A deadlock.
// How:      two threads take the lock, attached; a third makes the interning mutex contended; a fourth collects.
// Misuse:   none: nothing that the lock's holder calls is said to detach.
#include <Python.h>

#include "harness/scenario.h"

#include <pthread.h>
#include <stdio.h>

#define ROUNDS 8

struct state {
    pthread_mutex_t once; // const after init
    int made;             // under once
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    return pthread_mutex_init(&state->once, NULL);
}

static void intern_new(const char *who, uint32_t index, int round)
{
    char text[64];
    snprintf(text, sizeof(text), "%s that nobody has interned, %u, %d", who, (unsigned)index, round);
    PyObject *string = PyUnicode_InternFromString(text);
    CX_CHECK(string != NULL);
    Py_DECREF(string);
}

static void holder(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    PyGILState_STATE gil = PyGILState_Ensure();
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&state->once);
        intern_new("a string", cx_actor_index(run), i);
        state->made++;
        pthread_mutex_unlock(&state->once);
    }
    PyGILState_Release(gil);
}

static void interner(struct cx_run *run, void *memory)
{
    (void)memory;
    PyGILState_STATE gil = PyGILState_Ensure();
    for (int i = 0; i < ROUNDS; i++) {
        intern_new("another string", cx_actor_index(run), i);
    }
    PyGILState_Release(gil);
}

static void collector(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    for (int i = 0; i < 3; i++) {
        PyGILState_STATE gil = PyGILState_Ensure();
        PyGC_Collect();
        PyGILState_Release(gil);
    }
}

static void check(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(state->made == 2 * ROUNDS);
}

const struct cx_scenario scenario_lock_interning_in_once = {
    .summary = "threads intern new strings inside a native lock, while others collect garbage",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"holder", holder, .count = 2}, {"interner", interner, .count = 2}, {"collector", collector}},
    .tags = "lock,gc,stop-the-world,deadlock",
    .refs = "gh-149162",
};
