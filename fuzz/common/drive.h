// SPDX-License-Identifier: Apache-2.0
//
// drive: a fuzz target whose subject is a target's runner: one input is one run.
//
// The runner is the one that `constrictor run` starts: CPython initialised once, a fork for every input. Inputs that
// finalize nothing share a fork, which goes back to what it was after each (harness/host/resident.h); what fails there
// is played again in a fork of its own, and counts if it fails there. What the child reaches (pairs of operations at
// hand-offs and at conflicts) comes back in the memory that it shares with us, and goes to the engine as extra
// counters. A run that fails with a signature that this process has not seen is replayed three
// times, saved as a schedule file below the folder of findings, beside its input, and told on standard error. Then the
// process ends as a crash does, so that the engine keeps the input as its artifact too; or goes on, where many are
// looked for at once.
//
// Environment: CONSTRICTOR_FUZZ_TARGET (default 3.14.7-ft-debug), CONSTRICTOR_FUZZ_OUT, the folder of findings (default
// constrictor-out), CONSTRICTOR_FUZZ_GO_ON (not empty: go on), CONSTRICTOR_FUZZ_BLIND (not empty: the engine gets no
// counters, to compare with), CONSTRICTOR_FUZZ_STATS (not empty: at the end, how many schedules were played, and how
// many pairs of hand-offs they reached), CONSTRICTOR_FUZZ_ALONE (not empty: no inputs share a process),
// CONSTRICTOR_FUZZ_BOTH (not empty: those that do are all played in one of their own, too). CONSTRICTOR_RUNNERS:
// default runners/ beside the program, or in the folder above.
#ifndef CX_FUZZ_DRIVE_H
#define CX_FUZZ_DRIVE_H

#include <stddef.h>
#include <stdint.h>

#include "harness/exec/channel.h"

struct fuzz_run {
    uint32_t scenario; // index, of fuzz_drive_scenario()
    uint32_t strategy; // enum cx_strategy_kind
    uint32_t pct_depth;
    uint64_t seed;
    const struct cx_deviation *plan;
    uint32_t plan_count;
    uint32_t plan_picks;                // of them, at the beginning: numbers of main
    const struct cx_segments *segments; // or NULL
    const uint8_t *known;               // or NULL; bits of cx_told, by the seed
    uint32_t given;                     // so many numbers of main are given: those of the plan, or 0
    uint32_t pairs;                     // 1: pairs of hand-offs are counted
    uint32_t resident;                  // 1: it finalizes nothing, and many such runs may share a process
    uint64_t like;                      // runs with the same number do the same, in another order
    const uint8_t *data;
    size_t size;
};

// The index of a scenario, or of the n-th that applies to this target, whose number is `*count`. Starts the runner.
uint32_t fuzz_drive_scenario(const char *name);
uint32_t fuzz_drive_nth(uint32_t n);
uint32_t fuzz_drive_count(void);

// What a run has come to.
struct fuzz_reached {
    uint32_t scenario;
    uint32_t handoffs;
    uint32_t fresh;    // pairs of hand-offs that it was the first to have; 0 for an engine that gets no counters
    uint32_t fresh_at; // the last hand-off that had one, from 1
    uint64_t outcome;  // of a finding, so that equal ones have equal numbers; 0: it passes
    const struct cx_pairs *pairs; // of all runs, for as long as the process lives; NULL for such an engine
};

// Play an input.
struct fuzz_reached fuzz_drive(const struct fuzz_run *run);

#endif
