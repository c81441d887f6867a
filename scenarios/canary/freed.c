// SPDX-License-Identifier: Apache-2.0
//
// canary/freed: a thread takes a pointer and reads through it, while another frees what it points to.
// Question: is a read of freed memory found, which hurts nobody?
// Verdict:  it must be found: heap-use-after-free in `reader`.
// How:      out of the window between the load and the read, and back when the memory is free.
// Misuse:   the memory has no owner, on purpose.
#include <Python.h>

#include "harness/scenario.h"

#include <stdatomic.h>

struct state {
    int *_Atomic shared; // atomic
    int seen;            // owner thread only: `reader`
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    int *shared = PyMem_RawCalloc(1, sizeof(*shared));
    atomic_init(&state->shared, shared);
    return shared != NULL ? 0 : -1;
}

static void reader(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    const volatile int *shared = atomic_load(&state->shared);
    cx_point("between load and read");
    if (shared != NULL) {
        state->seen = *shared;
    }
}

static void freer(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyMem_RawFree(atomic_exchange(&state->shared, NULL));
    cx_note("freed"); // and so this function is on the stack of the release
}

const struct cx_scenario scenario_canary_freed = {
    .summary = "a pointer is loaded, and read through when another thread has freed what it points to",
    .builds = CX_BUILD_GIL | CX_BUILD_FREE_THREADED | CX_BUILD_ASAN,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"reader", reader}, {"freer", freer}},
    .expect = CX_EXPECT_CRASH,
    .tags = "canary,crash",
};
