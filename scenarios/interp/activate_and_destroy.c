// SPDX-License-Identifier: Apache-2.0
//
// interp/activate_and_destroy: native threads activate a subinterpreter while another thread destroys it.
// Question: is every activation either inside a living interpreter or refused, and does the destroyer get a code while
//           somebody is inside?
// Verdict:  yes: the door is one word. No thread state is left, nobody is parked.
// How:      the destroyer tries until it succeeds. One visitor keeps its thread state, which makes it busy, too.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#include <sched.h>
#include <stdatomic.h>

struct state {
    struct pyrt_interp interp;   // const after init; the destroyer's
    struct pyrt_interp views[2]; // owner thread only: the visitors' borrowed handles
    atomic_int destroyed;        // atomic
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_activate inside = {0};
    if (pyrt_interp_create(&state->interp, NULL) != PYRT_OK ||
        pyrt_activate_begin(&inside, &state->interp) != PYRT_OK) {
        return -1;
    }
    for (int i = 0; i < 2; i++) {
        if (pyrt_interp_current(&state->views[i]) != PYRT_OK) {
            return -1;
        }
    }
    return pyrt_activate_end(&inside) == PYRT_OK ? 0 : -1;
}

static void visit(struct state *state, enum pyrt_status status, struct pyrt_activate *inside)
{
    if (status == PYRT_OK) {
        CX_CHECK(!atomic_load(&state->destroyed));
        CX_CHECK(pyrt_is_attached());
        PyObject *list = PyList_New(3);
        CX_CHECK(list != NULL);
        Py_DECREF(list);
        CX_CHECK(pyrt_activate_end(inside) == PYRT_OK);
    } else {
        cx_note("activation refused");
        CX_CHECK(status == PYRT_FINALIZING || status == PYRT_GONE);
    }
    CX_CHECK(PyThreadState_GetUnchecked() == NULL);
}

static void visitor(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < 2; i++) {
        struct pyrt_activate inside = {0};
        visit(state, pyrt_activate_begin(&inside, &state->views[0]), &inside);
    }
    CX_CHECK(pyrt_interp_destroy(&state->views[0]) == PYRT_OK); // a borrowed handle: given back
}

static void keeper(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_tstate kept = {0};
    enum pyrt_status status = pyrt_tstate_open(&kept, &state->views[1]);
    if (status == PYRT_OK) {
        struct pyrt_activate inside = {0};
        // Who keeps a state keeps the interpreter; a destroyer who looks at that puts nobody off.
        status = pyrt_activate_begin_with(&inside, &kept);
        CX_CHECK(status == PYRT_OK);
        visit(state, status, &inside);
        CX_CHECK(pyrt_tstate_close(&kept) == PYRT_OK);
    } else {
        CX_CHECK(status == PYRT_FINALIZING || status == PYRT_GONE);
    }
    CX_CHECK(pyrt_interp_destroy(&state->views[1]) == PYRT_OK);
}

static void destroyer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    enum pyrt_status status = PYRT_BUSY;
    while (status == PYRT_BUSY) {
        status = pyrt_interp_destroy(&state->interp);
        cx_point("destroy tried");
        sched_yield(); // who tries again at once may never see who is inside leave
    }
    CX_CHECK(status == PYRT_OK);
    CX_CHECK(pyrt_interp_is_empty(&state->interp));
    atomic_store(&state->destroyed, 1);
}

static void check(struct cx_run *run, void *memory)
{
    const struct state *state = memory;
    CX_CHECK(atomic_load(&state->destroyed));
    CX_CHECK(!cx_any_parked(run));
}

const struct cx_scenario scenario_interp_activate_and_destroy = {
    .summary = "native threads activate a subinterpreter while another thread destroys it",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"destroyer", destroyer}, {"visitor", visitor}, {"keeper", keeper}},
    .cycle = CX_CYCLE,
    .tags = "interp,runtime",
    .refs = "pybind11#6040,pybind11#6073,pybind11#6127",
};
