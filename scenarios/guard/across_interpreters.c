// SPDX-License-Identifier: Apache-2.0
//
// guard/across_interpreters: threads ensure main, a subinterpreter and main again, by guards and by views.
// Question: does each ensure make a state of its own, and does each end restore the one before?
// Verdict:  yes, also while another thread collects garbage in both interpreters.
// How:      CPython's test_thread_state_ensure_crossinterp, _view and _from_view_interp_switch, on three threads.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#define LEVELS 4

struct state {
    struct pyrt_interp sub;       // const after init; check destroys it
    struct pyrt_guard *guards[2]; // const after init: main's and the subinterpreter's
    struct pyrt_view *views[2];   // const after init: likewise
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_activate inside = {0};
    if (pyrt_guard_from_current(&state->guards[0]) != PYRT_OK || pyrt_view_from_current(&state->views[0]) != PYRT_OK ||
        pyrt_interp_create(&state->sub, NULL) != PYRT_OK || pyrt_activate_begin(&inside, &state->sub) != PYRT_OK ||
        pyrt_guard_from_current(&state->guards[1]) != PYRT_OK || pyrt_view_from_current(&state->views[1]) != PYRT_OK) {
        return -1;
    }
    return pyrt_activate_end(&inside) == PYRT_OK ? 0 : -1;
}

static void traveller(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    uint32_t by_view = cx_actor_index(run);
    struct pyrt_ensure levels[LEVELS] = {{{0}}};
    const PyThreadState *states[LEVELS];
    for (int i = 0; i < LEVELS; i++) {
        enum pyrt_status status = by_view ? pyrt_ensure_begin_view(&levels[i], state->views[i % 2])
                                          : pyrt_ensure_begin(&levels[i], state->guards[i % 2]);
        CX_CHECK(status == PYRT_OK);
        states[i] = PyThreadState_Get();
        CX_CHECK((PyInterpreterState_GetID(PyInterpreterState_Get()) == 0) == (i % 2 == 0));
        for (int j = 0; j < i; j++) {
            CX_CHECK(states[j] != states[i]);
        }
    }
    for (int i = LEVELS; i-- > 0;) {
        CX_CHECK(PyThreadState_Get() == states[i]);
        CX_CHECK(pyrt_ensure_end(&levels[i]) == PYRT_OK);
    }
    CX_CHECK(PyThreadState_GetUnchecked() == NULL);
}

static void collector(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < 2; i++) {
        struct pyrt_ensure ensure = {0};
        CX_CHECK(pyrt_ensure_begin(&ensure, state->guards[i]) == PYRT_OK);
        PyGC_Collect();
        CX_CHECK(pyrt_ensure_end(&ensure) == PYRT_OK);
    }
}

static void check(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    // Its guard is open. From 3.15 on CPython would wait for it.
    CX_CHECK(PY_VERSION_HEX >= 0x030F0000 || pyrt_interp_destroy(&state->sub) == PYRT_BUSY);
    for (int i = 0; i < 2; i++) {
        pyrt_guard_close(state->guards[i]);
        pyrt_view_close(state->views[i]);
    }
    CX_CHECK(pyrt_interp_destroy(&state->sub) == PYRT_OK);
}

const struct cx_scenario scenario_guard_across_interpreters = {
    .summary = "threads ensure main, a subinterpreter and main again, by guards and by views",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"traveller", traveller, .count = 2}, {"collector", collector}},
    .cycle = CX_CYCLE,
    .tags = "guard,interp,runtime",
    .refs = "gh-149101,PEP 788",
};
