// SPDX-License-Identifier: Apache-2.0
//
// plain/follow_after_load: readers follow a pointer that they have loaded, while the owner takes it back.
// Question: can a thread lose its turn between an atomic operation and the memory that it touches next?
// Verdict:  it must: there is a point after the operation, and a reader sees what the owner left behind. With points
//           before operations alone, load and use, and store and destruction, are never apart.
// How:      one switch, just after the load. What follows it is relaxed: no point, and no race.
#include "harness/scenario.h"

#include <stdatomic.h>
#include <stddef.h>

struct item {
    atomic_int alive; // atomic
};

struct state {
    struct item item;               // const after init: what is in it says itself
    _Atomic(struct item *) current; // atomic
};

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    atomic_init(&state->item.alive, 1);
    atomic_init(&state->current, &state->item);
    return 0;
}

static void reader(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    struct item *item = atomic_load(&state->current);
    CX_CHECK(item == NULL || atomic_load_explicit(&item->alive, memory_order_relaxed) == 1);
}

static void owner(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    atomic_store(&state->current, NULL);
    atomic_store_explicit(&state->item.alive, 0, memory_order_relaxed);
}

const struct cx_scenario scenario_plain_follow_after_load = {
    .summary = "a pointer is followed after its owner has taken it back",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"reader", reader, .count = 3}, {"owner", owner}},
    .expect = CX_EXPECT_INVARIANT,
    .tags = "plain",
};
