// SPDX-License-Identifier: Apache-2.0
//
// start/init_race: threads attach where nobody has started Python: some may start it, some merely try.
// Question: is it started once, and is anybody let in before the start is through?
// Verdict:  once; nobody. Who may not start is refused or let in, according to the moment.
// How:      setup finalizes. The start imports a module, like a sitecustomize, while CPython already calls itself
//           initialized. It exceeds PyO3's test_init_race by the mere tries and by the moment before the start.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#include <stdatomic.h>

#define STARTERS 2
#define TRIES 3

struct state {
    atomic_int starts; // atomic
    atomic_int ready;  // atomic
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    (void)memory;
    return Py_FinalizeEx();
}

static int start(void *memory)
{
    struct state *state = memory;
    atomic_fetch_add(&state->starts, 1);
    CX_CHECK(cx_python_start() == 0);
    CX_CHECK(Py_IsInitialized());
    cx_point("initialized, but not ready");
    CX_CHECK(PyRun_SimpleString("import keyword") == 0);
    atomic_store(&state->ready, 1);
    return 0;
}

static void starter(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct pyrt_attach attach = {0};
    const struct pyrt_init init = {.start = start, .context = state, .restart = 1};
    pyrt_attach(&attach, &init);
    CX_CHECK(atomic_load(&state->ready));
    CX_CHECK(pyrt_is_attached());
    CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

static void trier(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < TRIES; i++) {
        struct pyrt_attach attach = {0};
        enum pyrt_status status = pyrt_attach_try(&attach);
        if (status == PYRT_OK) {
            CX_CHECK(atomic_load(&state->ready));
            CX_CHECK(pyrt_attach_release(&attach) == PYRT_OK);
        } else {
            CX_CHECK(status == PYRT_NOT_INITIALIZED || status == PYRT_FINALIZING);
            CX_CHECK(PyThreadState_GetUnchecked() == NULL);
        }
        cx_point("tried");
    }
}

static void check(struct cx_run *run, void *memory)
{
    const struct state *state = memory;
    CX_CHECK(atomic_load(&state->starts) == 1);
    CX_CHECK(!cx_any_parked(run));
}

const struct cx_scenario scenario_start_init_race = {
    .summary = "threads attach where nobody has started Python: some may start it, some merely try",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .wall_ms_max = 120000,
    .actors = {{"starter", starter, .count = STARTERS}, {"trier", trier, .count = 2}},
    .tags = "start,attach,runtime",
    .refs = "PyO3#5903,gh-146302",
};
