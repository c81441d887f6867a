// SPDX-License-Identifier: Apache-2.0
//
// interning: see interning.h.
#include <Python.h>

#include "scenarios/common/interning.h"

#include <stdio.h>

#define ROUNDS 8

int interning_setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct interning *state = memory;
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

void interning_hold(struct cx_run *run, void *memory)
{
    struct interning *state = memory;
    PyGILState_STATE gil = PyGILState_Ensure();
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&state->once);
        intern_new("a string", cx_actor_index(run), i);
        state->made++;
        pthread_mutex_unlock(&state->once);
    }
    PyGILState_Release(gil);
}

void interning_intern(struct cx_run *run, void *memory)
{
    (void)memory;
    PyGILState_STATE gil = PyGILState_Ensure();
    for (int i = 0; i < ROUNDS; i++) {
        intern_new("another string", cx_actor_index(run), i);
    }
    PyGILState_Release(gil);
}

void interning_collect(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    for (int i = 0; i < 3; i++) {
        PyGILState_STATE gil = PyGILState_Ensure();
        PyGC_Collect();
        PyGILState_Release(gil);
    }
}

void interning_check(struct cx_run *run, void *memory)
{
    struct interning *state = memory;
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(state->made == INTERNING_HOLDERS * ROUNDS);
}
