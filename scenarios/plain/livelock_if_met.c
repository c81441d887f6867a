// SPDX-License-Identifier: Apache-2.0
//
// plain/livelock_if_met: two polite threads, each of which lets the other go first once they have met.
// Question: is a livelock that the default order does not show found, and played again, however long it is?
// Verdict:  a livelock where both have begun before either has looked; a pass where one was alone.
// How:      one preemption between a store and the load after it; the step bound ends the run.
#include "harness/scenario.h"

#include <sched.h>
#include <stdatomic.h>

struct state {
    atomic_int begun[2];  // atomic
    atomic_uint bows[2];  // atomic
    atomic_int passed[2]; // atomic
};

static void polite(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    uint32_t self = cx_actor_index(run);
    atomic_store(&state->begun[self], 1);
    while (atomic_load(&state->begun[1 - self]) && !atomic_load(&state->passed[1 - self])) {
        atomic_fetch_add(&state->bows[self], 1);
        sched_yield();
    }
    atomic_store(&state->passed[self], 1);
}

const struct cx_scenario scenario_plain_livelock_if_met = {
    .summary = "two polite threads that have met let each other go first, for ever",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .actors = {{"polite", polite, .count = 2}},
    .expect = CX_EXPECT_LIVELOCK,
    .steps_max = 20000,
    .tags = "plain,livelock",
};
