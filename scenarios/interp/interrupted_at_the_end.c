// SPDX-License-Identifier: Apache-2.0
//
// interp/interrupted_at_the_end: main is interrupted while it waits, in finalization, for a thread that runs code in a
//                                subinterpreter.
// Question: does Py_FinalizeEx get along with a subinterpreter that is still running?
// Verdict:  from 3.15 on. 3.13 and 3.14 abort: a subinterpreter's thread state is in use, or has frames.
// How:      the interrupt is asked for before Py_FinalizeEx, which then does not wait; the thread sleeps for long.
#include <Python.h>

#include "harness/scenario.h"

#include <signal.h>

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    return PyRun_SimpleString("import _interpreters, signal, threading\n"
                              "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
                              "interp = _interpreters.create()\n"
                              "def work():\n"
                              "    _interpreters.exec(interp, 'import time\\ntime.sleep(1000)')\n");
}

static void finalizer(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    CX_CHECK(PyRun_SimpleString("import time\n"
                                "threading.Thread(target=work).start()\n"
                                "while not _interpreters.is_running(interp):\n"
                                "    time.sleep(0.001)\n") == 0);
    PyErr_SetInterruptEx(SIGINT);
    Py_FinalizeEx();
}

const struct cx_scenario scenario_interp_interrupted_at_the_end = {
    .summary = "main is interrupted while it waits, in finalization, for a thread in a subinterpreter",
    .builds = CX_BUILD_ANY,
    .setup = setup,
    .actors = {{"finalizer", finalizer, .flags = CX_ACTOR_MAIN}},
    .tags = "interp,finalize",
    .refs = "gh-126016,gh-113127",
};
