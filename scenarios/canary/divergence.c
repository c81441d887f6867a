// SPDX-License-Identifier: Apache-2.0
//
// canary/divergence: threads that decide by the processor's clock, which nothing in the harness controls.
// Question: is a failure that no schedule can reproduce told apart from a finding?
// Verdict:  it must be reported as diverged: the replay takes another way than the recording.
// How:      each thread draws from the clock how many slots it counts in, and which; one run in eight fails a check of
//           these numbers too. A replay meets other objects at its switches, or ends in another way.
// Misuse:   the uncontrolled number, on purpose.
#include <Python.h>

#include "harness/scenario.h"

#include <stdatomic.h>

#define ROUNDS_MAX 64
#define SLOTS 64
#define FAILS_ONE_IN 8

struct state {
    atomic_uint slots[SLOTS]; // atomic
    atomic_uint total;        // atomic
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
    uint32_t rounds = 1 + uncontrolled() % ROUNDS_MAX;
    for (uint32_t i = 0; i < rounds; i++) {
        atomic_fetch_add(&state->slots[uncontrolled() % SLOTS], 1);
    }
    atomic_fetch_add(&state->total, rounds);
}

static void check(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    CX_CHECK(atomic_load(&state->total) % FAILS_ONE_IN != 0);
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
