// SPDX-License-Identifier: Apache-2.0
//
// canary/undefined: a thread reads an entry of a table at an index that another thread sets one too high for a moment.
// Question: is undefined behaviour found that hurts nobody?
// Verdict:  it must be found: an index out of bounds in `reader`. What is read is the state's own memory.
// How:      out of the moment between the two stores, and back after it.
// Misuse:   the index, on purpose.
#include "harness/scenario.h"

#include <stdatomic.h>

#define ENTRIES 4

struct state {
    int table[ENTRIES]; // const after init
    int behind;         // const after init: what is read past the table
    int seen;           // owner thread only: `reader`
    atomic_uint index;  // atomic
};

static void reader(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    state->seen = state->table[atomic_load(&state->index)];
}

static void writer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    atomic_store(&state->index, ENTRIES);
    cx_point("the index is too high");
    atomic_store(&state->index, 0);
}

const struct cx_scenario scenario_canary_undefined = {
    .summary = "a table is read at an index that is too high for a moment",
    .builds = CX_BUILD_GIL | CX_BUILD_FREE_THREADED | CX_BUILD_ASAN,
    .state_bytes = sizeof(struct state),
    .actors = {{"reader", reader}, {"writer", writer}},
    .expect = CX_EXPECT_CRASH,
    .tags = "canary,crash",
};
