// SPDX-License-Identifier: Apache-2.0
//
// plain/spin_flag: a thread spins on a flag, without a yield, until another has set it.
// Question: does the spinning thread keep the token for ever?
// Verdict:  never; a thread that reads the same value again and again is treated as yielding, and the run ends.
// How:      any schedule that starts the spinner first.
#include "harness/scenario.h"

#include <stdatomic.h>

struct state {
    atomic_int flag; // atomic
    atomic_int echo; // atomic
};

static void spinner(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    while (!atomic_load(&state->flag)) {
    }
    atomic_store(&state->echo, 1);
}

static void setter(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    atomic_store(&state->flag, 1);
    while (!atomic_load(&state->echo)) {
    }
}

const struct cx_scenario scenario_plain_spin_flag = {
    .summary = "two threads spin on each other's flag without a yield",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .actors = {{"spinner", spinner}, {"setter", setter}},
    .tags = "plain,spin",
};
