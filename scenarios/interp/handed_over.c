// SPDX-License-Identifier: Apache-2.0
//
// interp/handed_over: two threads create a subinterpreter each, exchange them, and destroy what they got.
// Question: does an interpreter depend on the thread that made it?
// Verdict:  no: the other one activates and destroys it, while its maker is busy elsewhere or gone.
// How:      handles move through a box. pybind11's "Move Subinterpreter", in both directions at once.
#include <Python.h>

#include "harness/scenario.h"
#include "pyrt/pyrt.h"

#include <semaphore.h>

struct box {
    struct pyrt_interp interp; // owner thread only: the maker, then the taker
    int64_t id;                // owner thread only: likewise
    sem_t full;                // const after init
};

struct state {
    struct box boxes[2]; // owner thread only: see there
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    return sem_init(&state->boxes[0].full, 0, 0) == 0 ? sem_init(&state->boxes[1].full, 0, 0) : -1;
}

static void make(struct box *box)
{
    struct pyrt_interp interp = {0};
    CX_CHECK(pyrt_interp_create(&interp, NULL) == PYRT_OK);
    box->id = pyrt_interp_id(&interp);
    CX_CHECK(pyrt_interp_move(&box->interp, &interp) == PYRT_OK);
    CX_CHECK(pyrt_interp_is_empty(&interp) && pyrt_interp_id(&interp) == -1);
    CX_CHECK(pyrt_interp_move(&box->interp, &interp) == PYRT_ALREADY_LIVE);
    CX_CHECK(sem_post(&box->full) == 0);
}

static void take(struct box *box)
{
    struct pyrt_interp interp = {0};
    struct pyrt_activate inside = {0};
    CX_CHECK(sem_wait(&box->full) == 0);
    CX_CHECK(pyrt_interp_move(&interp, &box->interp) == PYRT_OK);
    CX_CHECK(pyrt_activate_begin(&inside, &interp) == PYRT_OK);
    CX_CHECK(PyInterpreterState_GetID(PyInterpreterState_Get()) == box->id);
    CX_CHECK(pyrt_activate_end(&inside) == PYRT_OK);
    CX_CHECK(pyrt_interp_destroy(&interp) == PYRT_OK);
}

static void exchanger(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    uint32_t self = cx_actor_index(run);
    make(&state->boxes[self]);
    take(&state->boxes[1 - self]);
    CX_CHECK(PyThreadState_GetUnchecked() == NULL);
}

static void check(struct cx_run *run, void *memory)
{
    const struct state *state = memory;
    CX_CHECK(!cx_any_parked(run));
    CX_CHECK(state->boxes[0].id != state->boxes[1].id);
    CX_CHECK(PyInterpreterState_Next(PyInterpreterState_Head()) == NULL);
}

const struct cx_scenario scenario_interp_handed_over = {
    .summary = "two threads create a subinterpreter each, exchange them, and destroy what they got",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .check = check,
    .wall_ms_max = 120000,
    .actors = {{"exchanger", exchanger, .count = 2}},
    .cycle = CX_CYCLE,
    .tags = "interp,runtime",
};
