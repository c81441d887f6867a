// SPDX-License-Identifier: Apache-2.0
//
// plain/livelock: two polite threads, each of which lets the other go first.
// Question: is a run in which everybody is busy and nobody gets anywhere ended, and called by its name?
// Verdict:  a livelock on every schedule: the bows are counted, so the state never repeats and it is no deadlock.
// How:      no preemption is needed; the step bound ends the run.
#include "harness/scenario.h"

#include <sched.h>
#include <stdatomic.h>

struct state {
    atomic_uint bows[2];  // atomic
    atomic_int passed[2]; // atomic
};

static void polite(struct cx_run *run, void *memory)
{
    struct state *state = memory;
    uint32_t self = cx_actor_index(run);
    while (!atomic_load(&state->passed[1 - self])) {
        atomic_fetch_add(&state->bows[self], 1);
        sched_yield();
    }
    atomic_store(&state->passed[self], 1);
}

const struct cx_scenario scenario_plain_livelock = {
    .summary = "two polite threads let each other go first, for ever",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .actors = {{"polite", polite, .count = 2}},
    .expect = CX_EXPECT_LIVELOCK,
    .steps_max = 20000,
    .tags = "plain,livelock",
};
