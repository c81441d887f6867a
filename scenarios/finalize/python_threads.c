// SPDX-License-Identifier: Apache-2.0
//
// finalize/python_threads: main finalizes beside threads of the `threading` module, daemons among them, and a native
//                          thread that attaches.
// Question: are the threads that must be waited for waited for, and does the native one get in or a code, all the same?
// Verdict:  yes: what the waited-for thread does is done; a daemon is parked wherever it is.
// How:      the finalization group of CPython's test_threading, with the runtime's attach beside it.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"
#include "scenarios/common/steps.h"

#include <stdatomic.h>

struct state {
    atomic_int done;      // atomic: the thread that is waited for
    atomic_int finalized; // atomic
};

static struct state *shared; // const after init

static PyObject *done_function(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    CX_CHECK(!atomic_load(&shared->finalized));
    atomic_fetch_add(&shared->done, 1);
    Py_RETURN_NONE;
}

static PyMethodDef done_method = {"done", done_function, METH_NOARGS, NULL};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    shared = memory;
    PyObject *module = PyImport_AddModule("__main__");
    PyObject *function = PyCFunction_New(&done_method, NULL);
    if (module == NULL || function == NULL || PyObject_SetAttrString(module, "done", function) != 0 ||
        steps_meet() != 0) {
        return -1;
    }
    Py_DECREF(function);
    return PyRun_SimpleString("import threading\n"
                              "def work():\n"
                              "    for i in range(3):\n"
                              "        threading.Lock().acquire()\n"
                              "    done()\n"
                              "def wait_for_ever():\n"
                              "    lock = threading.Lock()\n"
                              "    with lock:\n"
                              "        lock.acquire()\n");
}

static void worker(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    steps_attach_until_the_end(2, &state->finalized);
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(PyRun_SimpleString("threading.Thread(target=work).start()\n"
                                "threading.Thread(target=wait_for_ever, daemon=True).start()\n") == 0);
    steps_finalize(&state->finalized);
    CX_CHECK(atomic_load(&state->done) == 1);
}

static void check(struct cx_run *run, void *memory)
{
    (void)memory;
    CX_CHECK(!cx_any_parked(run)); // the native ones, that is: Python's are none of the scenario's
}

const struct cx_scenario scenario_finalize_python_threads = {
    .summary = "main finalizes beside threads of the threading module and a native one that attaches",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}, {"worker", worker}},
    .tags = "finalize,attach,runtime",
};
