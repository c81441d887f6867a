// SPDX-License-Identifier: Apache-2.0
//
// attach/in_atexit_callback: callbacks of Python's atexit attach and start to wait for threads that attach, too.
// Question: does an attach inside finalization deadlock with the door that finalization closes?
// Verdict:  no: main, which is attached, is let in always; the others are let in and waited for, or refused.
// How:      two callbacks, one registered before the runtime meets the interpreter and one after, so that on 3.13 and
//           3.14 one runs before the runtime's door closes and one after it. The callbacks let the workers run on.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"
#include "scenarios/common/steps.h"

#include <stdatomic.h>

struct state {
    atomic_int callbacks; // atomic
    atomic_int finalized; // atomic
};

static struct state *shared; // const after init

static PyObject *on_exit_function(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    struct pyrt_attach attach = {0};
    struct pyrt_attach nested = {0};
    struct pyrt_detach detach = {0};
    CX_CHECK(pyrt_attach_assume(&attach) == PYRT_OK);
    CX_CHECK(pyrt_attach_try(&nested) == PYRT_OK);
    CX_CHECK(pyrt_detach_begin(&detach) == PYRT_OK);
    cx_point("main is outside, in its atexit callback");
    CX_CHECK(pyrt_detach_end(&detach) == PYRT_OK);
    CX_CHECK(pyrt_attach_release(&nested) == PYRT_OK);
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
    atomic_fetch_add(&shared->callbacks, 1);
    Py_RETURN_NONE;
}

static PyMethodDef exit_method = {"on_exit", on_exit_function, METH_NOARGS, NULL};

static int register_callback(void)
{
    PyObject *module = PyImport_ImportModule("atexit");
    PyObject *function = PyCFunction_New(&exit_method, NULL);
    PyObject *result = NULL;
    if (module != NULL && function != NULL) {
        result = PyObject_CallMethod(module, "register", "O", function);
    }
    int registered = result != NULL;
    Py_XDECREF(result);
    Py_XDECREF(function);
    Py_XDECREF(module);
    return registered;
}

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    shared = memory;
    return register_callback() && steps_meet() == 0 && register_callback() ? 0 : -1;
}

static void worker(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    steps_attach_until_the_end(3, &state->finalized);
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    steps_finalize(&state->finalized);
    CX_CHECK(atomic_load(&state->callbacks) == 2);
}

static void check(struct cx_run *run, void *memory)
{
    (void)memory;
    CX_CHECK(!cx_any_parked(run));
}

const struct cx_scenario scenario_attach_in_atexit_callback = {
    .summary = "callbacks of Python's atexit attach while other threads attach, too",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"worker", worker, .count = 2}},
    .tags = "attach,finalize,runtime",
};
