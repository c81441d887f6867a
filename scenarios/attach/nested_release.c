// SPDX-License-Identifier: Apache-2.0
//
// attach/nested_release: threads nest attaches and release them, also in the wrong order.
// Question: does only the outermost release detach the thread, and does a wrong release change anything?
// Verdict:  only the outermost; a wrong one answers with its name and changes nothing.
// How:      three threads at it at once, so that each attach may wait for another thread to leave.
// Misuse:   releases out of order and twice, on purpose: the runtime promises codes for them.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#include <stdatomic.h>

#define THREADS 3
#define ROUNDS 2

struct state {
    atomic_int rounds; // atomic
};

static void nest_once(void)
{
    struct pyrt_attach outer = {0};
    struct pyrt_attach inner = {0};
    CX_CHECK(!pyrt_is_attached());
    CX_CHECK(pyrt_attach_release(&outer) == PYRT_NOT_LIVE);
    CX_CHECK(pyrt_attach_try(&outer) == PYRT_OK);
    PyThreadState *tstate = PyThreadState_GetUnchecked();
    CX_CHECK(tstate != NULL && pyrt_is_attached());

    CX_CHECK(pyrt_attach_try(&outer) == PYRT_ALREADY_LIVE);
    CX_CHECK(pyrt_attach_try(&inner) == PYRT_OK);
    CX_CHECK(PyThreadState_GetUnchecked() == tstate);
    CX_CHECK(pyrt_attach_release(&outer) == PYRT_OUT_OF_ORDER);
    CX_CHECK(pyrt_is_attached());
    CX_CHECK(pyrt_attach_release(&inner) == PYRT_OK);
    CX_CHECK(pyrt_attach_release(&inner) == PYRT_NOT_LIVE);
    CX_CHECK(PyThreadState_GetUnchecked() == tstate && pyrt_is_attached());

    CX_CHECK(pyrt_attach_release(&outer) == PYRT_OK);
    CX_CHECK(PyThreadState_GetUnchecked() == NULL && !pyrt_is_attached());
    CX_CHECK(pyrt_attach_release(&outer) == PYRT_NOT_LIVE);
}

static void nester(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < ROUNDS; i++) {
        nest_once();
        atomic_fetch_add(&state->rounds, 1);
    }
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(atomic_load(&state->rounds) == THREADS * ROUNDS);
}

const struct cx_scenario scenario_attach_nested_release = {
    .summary = "threads nest attaches and release them, also in the wrong order",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .check = check,
    .actors = {{"nester", nester, .count = THREADS}},
    .cycle = CX_CYCLE,
    .tags = "attach,runtime",
    .refs = "PyO3#6404",
};
