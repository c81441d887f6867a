// SPDX-License-Identifier: Apache-2.0
//
// lifecycle_scenario: fuzz/lifecycle, fuzz/lifecycle_misuse and fuzz/lifecycle_drift, whose program is drawn; and
//                     fuzz/lifecycle_canary, which is broken.
// Question: is there a program that respects the documentation, and a schedule, that crash CPython or the runtime,
//           block them, make them miscount, or make the runtime say what the model does not?
// Verdict:  whatever is found and is not in scenarios/known.json is new.
// How:      the first numbers that main draws are the program (lifecycle.h). The fuzz target fuzz_lifecycle gives them;
//           without it every strategy draws some.
#include <Python.h>

#include "fuzz/lifecycle_world.h"

static int prepare(void *memory)
{
    return fuzz_world_prepare(memory);
}

static int setup(struct cx_run *run, void *memory)
{
    return fuzz_world_begin(memory, run, FUZZ_RESPECT);
}

static int setup_misuse(struct cx_run *run, void *memory)
{
    return fuzz_world_begin(memory, run, FUZZ_MISUSE);
}

static int setup_canary(struct cx_run *run, void *memory)
{
    return fuzz_world_begin(memory, run, FUZZ_CANARY);
}

static int setup_cycle(struct cx_run *run, void *memory)
{
    return fuzz_world_begin(memory, run, FUZZ_CYCLE);
}

static void first(struct cx_run *run, void *memory)
{
    (void)run;
    fuzz_world_play(memory, 0);
}

static void thread(struct cx_run *run, void *memory)
{
    fuzz_world_play(memory, 1 + cx_actor_index(run));
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    fuzz_world_check(memory);
}

const struct cx_scenario scenario_fuzz_lifecycle = {
    .summary = "random programs over the runtime and the C API around it, as documented",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct fuzz_world),
    .prepare = prepare,
    .setup = setup,
    .check = check,
    .actors = {{"first", first, .flags = CX_ACTOR_MAIN}, {"thread", thread, .count = FUZZ_THREADS_MAX - 1}},
    .wall_ms_max = 60000,
    .tags = "fuzz,runtime",
};

const struct cx_scenario scenario_fuzz_lifecycle_misuse = {
    .summary = "the same without respect for what the documentation forbids",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct fuzz_world),
    .prepare = prepare,
    .setup = setup_misuse,
    .check = check,
    .actors = {{"first", first, .flags = CX_ACTOR_MAIN}, {"thread", thread, .count = FUZZ_THREADS_MAX - 1}},
    .wall_ms_max = 60000,
    .tags = "fuzz,misuse",
};

const struct cx_scenario scenario_fuzz_lifecycle_canary = {
    .summary = "planted: the operation drop forgets its reference, and with an argument it aborts",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct fuzz_world),
    .prepare = prepare,
    .setup = setup_canary,
    .check = check,
    .actors = {{"first", first, .flags = CX_ACTOR_MAIN}, {"thread", thread, .count = FUZZ_THREADS_MAX - 1}},
    .wall_ms_max = 60000,
    .tags = "fuzz,canary",
};

const struct cx_scenario scenario_fuzz_lifecycle_drift = {
    .summary = "programs that finalize nothing, played again and again: do they leave something behind?",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct fuzz_world),
    .setup = setup_cycle,
    .check = check,
    .actors = {{"first", first, .flags = CX_ACTOR_MAIN}, {"thread", thread, .count = FUZZ_THREADS_MAX - 1}},
    .wall_ms_max = 60000,
    .tags = "fuzz,runtime",
    .cycle = CX_CYCLE_ONLY,
};
