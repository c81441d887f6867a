// SPDX-License-Identifier: Apache-2.0
//
// attach/nine_threads: ten fresh native threads are attached at once.
// Question: do all get in, although the ninth thread state makes CPython stop the world to grow an array?
// Verdict:  all do, as long as main waits detached: nobody waits for ever, and each sees the others' work.
// How:      every thread meets the others inside, detached, then reads a list that all append to.
#include <Python.h>

#include "harness/scenario.h"

#include <pthread.h>

#define THREADS 10

struct state {
    pthread_barrier_t inside; // const after init
    PyObject *list;           // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->list = PyList_New(0);
    return state->list != NULL ? pthread_barrier_init(&state->inside, NULL, THREADS) : -1;
}

static void visitor(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyGILState_STATE gil = PyGILState_Ensure();
    CX_CHECK(PyList_Append(state->list, Py_None) == 0);
    Py_BEGIN_ALLOW_THREADS pthread_barrier_wait(&state->inside);
    Py_END_ALLOW_THREADS CX_CHECK(PyList_Size(state->list) == THREADS);
    PyGILState_Release(gil);
}

static void check(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    Py_DECREF(state->list);
}

const struct cx_scenario scenario_attach_nine_threads = {
    .summary = "ten fresh native threads are attached at once",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"visitor", visitor, .count = THREADS}},
    .tags = "attach,qsbr,stop-the-world",
    .refs = "gh-148953,gh-157666",
};
