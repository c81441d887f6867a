// SPDX-License-Identifier: Apache-2.0
//
// canary/divergence: threads that decide by the processor's clock, which nothing in the harness controls.
// Question: is a failure that no schedule can reproduce told apart from a finding?
// Verdict:  it must be reported as diverged: the replay takes another way than the recording.
// How:      each thread passes a number of points that it draws from the clock, and one run in two fails a check that
//           depends on that number too. That a replay draws the same numbers again has odds of one in 2^12.
// Misuse:   the uncontrolled number, on purpose.
#include <Python.h>

#include "harness/scenario.h"

#include <stdatomic.h>

#define POINTS_MAX 64

struct state {
    atomic_uint total; // atomic
};

// Read by an instruction: no call that could be interposed.
static uint32_t uncontrolled(void)
{
    uint64_t clock;
#if defined(__x86_64__)
    clock = __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(clock));
#else
#error "canary/divergence needs a clock that can be read by one instruction"
#endif
    // Fibonacci hashing: the low bits of some clocks stand still, the upper bits of the product do not.
    return (uint32_t)((clock * 0x9E3779B97F4A7C15u) >> 40);
}

static void gambler(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    uint32_t points = 1 + uncontrolled() % POINTS_MAX;
    for (uint32_t i = 0; i < points; i++) {
        atomic_fetch_add(&state->total, 1);
    }
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(atomic_load(&state->total) % 2 == 0);
}

const struct cx_scenario scenario_canary_divergence = {
    .summary = "threads decide by a clock that the harness does not control",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .check = check,
    .actors = {{"gambler", gambler, .count = 2}},
    .expect = CX_EXPECT_DIVERGED,
    .tags = "canary,divergence",
};
