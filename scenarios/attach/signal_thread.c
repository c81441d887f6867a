// SPDX-License-Identifier: Apache-2.0
//
// attach/signal_thread: native threads get signals, ask main for an interrupt from the handler, and attach.
// Question: does an interrupt asked for in a handler, attached or not, reach main, and disturb the thread's attach?
// Verdict:  it reaches main, which runs Python's handler once or more; the threads notice nothing.
// How:      each thread signals itself, so that the handler runs at a known place: once detached, once attached.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

#include <signal.h>

#define THREADS 2

struct state {
    PyObject *handled; // const after init: how often Python's handler has run
};

static void on_signal(int number)
{
    (void)number;
    PyErr_SetInterruptEx(SIGINT);
}

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct sigaction action = {.sa_handler = on_signal};
    state->handled = raw_function("import signal\n"
                                  "handled = []\n"
                                  "signal.signal(signal.SIGINT, lambda *unused: handled.append(1))\n",
                                  "handled");
    return state->handled != NULL ? sigaction(SIGUSR1, &action, NULL) : -1;
}

static void signalled(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    CX_CHECK(pthread_kill(pthread_self(), SIGUSR1) == 0);
    PyGILState_STATE gil = PyGILState_Ensure();
    CX_CHECK(pthread_kill(pthread_self(), SIGUSR1) == 0);
    CX_CHECK(PyRun_SimpleString("for i in range(3): pass") == 0);
    CX_CHECK(!PyErr_Occurred());
    PyGILState_Release(gil);
}

static void main_loop(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    for (int i = 0; i < 3; i++) {
        CX_CHECK(PyRun_SimpleString("for i in range(3): pass") == 0);
    }
    Py_BEGIN_ALLOW_THREADS cx_wait_actors(run);
    Py_END_ALLOW_THREADS CX_CHECK(PyRun_SimpleString("for i in range(3): pass") == 0);
    CX_CHECK(PyList_Size(state->handled) >= 1 && PyList_Size(state->handled) <= 2 * THREADS);
}

const struct cx_scenario scenario_attach_signal_thread = {
    .summary = "native threads get signals, ask main for an interrupt from the handler, and attach",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"main_loop", main_loop, .flags = CX_ACTOR_MAIN}, {"signalled", signalled, .count = THREADS}},
    .tags = "attach,signal",
    .refs = "gh-113127",
};
