// SPDX-License-Identifier: Apache-2.0
//
// interp/out_of_memory: threads make subinterpreters while one of the first allocations of each fails.
// Question: does an interpreter that cannot be made leave an error, and everything else as it was?
// Verdict:  it should. 3.13.5 ends the process; the others attach the calling thread's state, which they have not
//           detached yet, and end it, too.
// How:      the schedule chooses which allocation of the raw domain fails.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/failing.h"
#include "scenarios/common/raw.h"

#define TRIES 2
#define ALLOCATIONS 4 // the interpreter, and the first texts of its configuration

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    failing_install();
    return 0;
}

static void maker(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyThreadState *own = PyThreadState_Get();
    PyInterpreterConfig config = {.check_multi_interp_extensions = 1, .gil = PyInterpreterConfig_OWN_GIL};
    for (int i = 0; i < TRIES; i++) {
        PyThreadState *tstate = NULL;
        failing_next(1 + cx_choose(ALLOCATIONS));
        PyStatus status = Py_NewInterpreterFromConfig(&tstate, &config);
        failing_next(0);
        CX_CHECK(PyStatus_Exception(status) && tstate == NULL);
        CX_CHECK(PyThreadState_Get() == own);
    }
    PyGILState_Release(gil);
}

static void check(struct cx_run *run, void *memory)
{
    (void)memory;
    CX_CHECK(!cx_any_parked(run));
}

const struct cx_scenario scenario_interp_out_of_memory = {
    .summary = "threads make subinterpreters while one of the first allocations of each fails",
    .builds = CX_BUILD_ANY,
    .setup = setup,
    .check = check,
    .actors = {{"maker", maker, .count = 2}},
    .tags = "interp,memory",
    .refs = "gh-152156",
};
