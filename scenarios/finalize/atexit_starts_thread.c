// SPDX-License-Identifier: Apache-2.0
//
// finalize/atexit_starts_thread: an atexit callback starts a thread that is no daemon; main finalizes.
// Question: is a thread that comes from atexit waited for, like any other?
// Verdict:  yes from 3.15 on. Before, threads had had their turn: it is parked half-way.
// How:      the thread lets go of the interpreter before it leaves its token.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#include <stdatomic.h>

struct state {
    atomic_int tokens; // atomic: what the thread has done
};

static struct state *shared; // const after init

static PyObject *work_function(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    Py_BEGIN_ALLOW_THREADS cx_point("the thread is outside");
    Py_END_ALLOW_THREADS atomic_fetch_add(&shared->tokens, 1);
    Py_RETURN_NONE;
}

static PyObject *on_exit_function(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    CX_CHECK(PyRun_SimpleString("threading.Thread(target=work).start()") == 0);
    Py_RETURN_NONE;
}

static PyMethodDef work_method = {"work", work_function, METH_NOARGS, NULL};
static PyMethodDef exit_method = {"on_exit", on_exit_function, METH_NOARGS, NULL};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    shared = memory;
    int failed = raw_define(&work_method) != 0 || raw_at_exit(&exit_method) != 0;
    return failed ? -1 : PyRun_SimpleString("import threading");
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)run;
    const struct state *state = memory;
    CX_CHECK(Py_FinalizeEx() == 0);
    CX_CHECK(atomic_load(&state->tokens) == 1);
}

const struct cx_scenario scenario_finalize_atexit_starts_thread = {
    .summary = "an atexit callback starts a thread that is no daemon; main finalizes",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}},
    .tags = "finalize,atexit",
    .refs = "gh-136003",
};
