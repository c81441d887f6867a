// SPDX-License-Identifier: Apache-2.0
//
// interp/kept_states: threads keep a thread state each of two interpreters and change between them, side by side.
// Question: is it the same state each time, and each thread's own? What becomes of a state in foreign hands?
// Verdict:  the same, its own; another thread gets a code and changes nothing.
// How:      nested and one after the other. pybind11's "Reused thread states", single and multiple.
// Misuse:   closing an active state, using one that another thread keeps; the runtime promises codes.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#include <stdatomic.h>
#include <stddef.h>

#define KEEPERS 2
#define ROUNDS 2

struct state {
    struct pyrt_interp interps[2];               // const after init; nobody destroys them: their states are kept
    struct pyrt_tstate kept[KEEPERS][2];         // owner thread only: the keeper
    _Atomic(PyThreadState *) states[KEEPERS][2]; // atomic
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < 2; i++) {
        if (pyrt_interp_create(&state->interps[i], NULL) != PYRT_OK) {
            return -1;
        }
    }
    return 0;
}

static void visit(struct state *state, uint32_t self, int first)
{
    struct pyrt_activate outer = {0};
    struct pyrt_activate inner = {0};
    struct pyrt_tstate *kept = state->kept[self];
    CX_CHECK(pyrt_activate_begin_with(&outer, &kept[first]) == PYRT_OK);
    CX_CHECK(PyThreadState_Get() == kept[first].tstate);
    CX_CHECK(pyrt_tstate_close(&kept[first]) == PYRT_BUSY);
    CX_CHECK(pyrt_activate_begin_with(&inner, &kept[1 - first]) == PYRT_OK);
    CX_CHECK(PyThreadState_Get() == kept[1 - first].tstate);
    CX_CHECK(pyrt_activate_end(&outer) == PYRT_OUT_OF_ORDER);
    CX_CHECK(pyrt_activate_end(&inner) == PYRT_OK);
    CX_CHECK(PyThreadState_Get() == kept[first].tstate);
    CX_CHECK(pyrt_activate_end(&outer) == PYRT_OK);
    CX_CHECK(PyThreadState_GetUnchecked() == NULL);
}

static void keeper(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    uint32_t self = cx_actor_index(run);
    for (int i = 0; i < 2; i++) {
        CX_CHECK(pyrt_tstate_open(&state->kept[self][i], &state->interps[i]) == PYRT_OK);
        atomic_store(&state->states[self][i], state->kept[self][i].tstate);
    }
    for (int i = 0; i < ROUNDS; i++) {
        visit(state, self, i % 2);
        CX_CHECK(state->kept[self][0].tstate == atomic_load(&state->states[self][0]));
        CX_CHECK(state->kept[self][1].tstate == atomic_load(&state->states[self][1]));
        CX_CHECK(atomic_load(&state->states[1 - self][i % 2]) != state->kept[self][i % 2].tstate);
    }
}

static void check(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    for (int i = 0; i < KEEPERS * 2; i++) {
        struct pyrt_tstate *kept = &state->kept[i / 2][i % 2];
        struct pyrt_activate inside = {0};
        CX_CHECK(pyrt_activate_begin_with(&inside, kept) == PYRT_WRONG_THREAD);
        CX_CHECK(pyrt_tstate_close(kept) == PYRT_WRONG_THREAD);
    }
}

const struct cx_scenario scenario_interp_kept_states = {
    .summary = "threads keep a thread state each of two interpreters and change between them",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .actors = {{"keeper", keeper, .count = KEEPERS}},
    .tags = "interp,runtime",
    .refs = "pybind11#6073",
};
