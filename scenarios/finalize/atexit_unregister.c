// SPDX-License-Identifier: Apache-2.0
//
// finalize/atexit_unregister: threads register and unregister atexit callbacks whose comparison clears the list.
// Question: does atexit.unregister use a callback that is gone?
// Verdict:  no from 3.13.12 on; before, it compares and deletes what the comparison has freed.
// How:      one thread's comparison clears all, and lets others in; another one registers meanwhile; then main runs
//           what is left.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#define ROUNDS 2

struct state {
    PyObject *clear; // const after init
    PyObject *churn; // const after init
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->clear = raw_function("import atexit\n"
                                "class Clearing:\n"
                                "    def __eq__(self, other):\n"
                                "        atexit._clear()\n"
                                "        for i in range(3):\n"
                                "            atexit.register(lambda: None)\n"
                                "        return True\n"
                                "    def __call__(self):\n"
                                "        pass\n"
                                "def clear():\n"
                                "    for i in range(3):\n"
                                "        atexit.register(Clearing())\n"
                                "    atexit.unregister(Clearing())\n"
                                "def churn():\n"
                                "    def callback(): pass\n"
                                "    atexit.register(callback)\n"
                                "    atexit.unregister(callback)\n",
                                "clear");
    state->churn = raw_function("", "churn");
    return state->clear != NULL && state->churn != NULL ? 0 : -1;
}

static void call_often(PyObject *function)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    for (int i = 0; i < ROUNDS; i++) {
        CX_CHECK(raw_call(function) == 0);
    }
    PyGILState_Release(gil);
}

static void clearer(struct cx_run *run, void *memory)
{
    (void)run;
    call_often(((struct state *)memory)->clear);
}

static void churner(struct cx_run *run, void *memory)
{
    (void)run;
    call_often(((struct state *)memory)->churn);
}

static void check(struct cx_run *run, void *memory)
{
    (void)memory;
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(PyRun_SimpleString("atexit._run_exitfuncs()\n"
                                "assert atexit._ncallbacks() == 0\n") == 0);
}

const struct cx_scenario scenario_finalize_atexit_unregister = {
    .summary = "threads register and unregister atexit callbacks whose comparison clears the list",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"clearer", clearer}, {"churner", churner}},
    .tags = "finalize,atexit",
    .refs = "gh-142881,gh-112127",
};
