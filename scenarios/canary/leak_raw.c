// SPDX-License-Identifier: Apache-2.0
//
// canary/leak_raw: a thread that is not attached takes memory of CPython's raw allocator and forgets to give it back.
// Question: is memory found that is no object and belongs to no interpreter?
// Verdict:  it must be: "+1 raw block", in each play again.
// How:      it is only forgotten when another thread has done so before; the order is the schedule's.
// Misuse:   the leak, on purpose.
#include <Python.h>

#include "harness/scenario.h"

#include <stdatomic.h>

#define BYTES 64

struct state {
    atomic_int users; // atomic: threads that have memory
};

static void user(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    void *block = PyMem_RawMalloc(BYTES);
    CX_CHECK(block != NULL);
    int alone = atomic_fetch_add(&state->users, 1) == 0;
    cx_point("in use");
    atomic_fetch_sub(&state->users, 1);
    if (alone) {
        PyMem_RawFree(block);
    }
}

const struct cx_scenario scenario_canary_leak_raw = {
    .summary = "raw memory is forgotten when two threads use some at the same time",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .actors = {{"user", user, .count = 2}},
    .expect = CX_EXPECT_LEAK,
    .cycle = CX_CYCLE_ONLY,
    .tags = "canary,leak",
};
