// SPDX-License-Identifier: Apache-2.0
//
// schedule_input: the half of an input that is a schedule, and the way to bytes and back.
//
// Every byte means something wherever it is, and any bytes are an input; what is missing is zero:
//
//     1 byte    strategy: fuzz_strategies[]
//     1 byte    depth of pct
//     8 bytes   seed, the lowest byte first
//     6 bytes   as often as there are more: a switch: thread, thread that goes on, point, the lowest byte first
//
// Threads are numbers: 0 is main, 1 to 3 are its children. Switches are followed by strategy `replay` alone.
#ifndef CX_FUZZ_SCHEDULE_INPUT_H
#define CX_FUZZ_SCHEDULE_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "harness/exec/channel.h"
#include "harness/prng.h"

#define FUZZ_SWITCHES_MAX 64
#define FUZZ_SWITCH_BYTES 6
#define FUZZ_SWITCH_THREADS 4
#define FUZZ_DEPTHS 6
#define FUZZ_SCHEDULE_BYTES 10 // without switches
#define FUZZ_SCHEDULE_BYTES_MAX (FUZZ_SCHEDULE_BYTES + FUZZ_SWITCHES_MAX * FUZZ_SWITCH_BYTES)

struct fuzz_switch {
    uint8_t thread;
    uint8_t to;
    uint32_t point;
};

struct fuzz_schedule {
    uint8_t strategy; // index into fuzz_strategies[]
    uint8_t depth;
    uint64_t seed;
    uint32_t switches_count;
    struct fuzz_switch switches[FUZZ_SWITCHES_MAX];
};

#define FUZZ_STRATEGIES 5
extern const uint32_t fuzz_strategies[FUZZ_STRATEGIES]; // enum cx_strategy_kind

// Any bytes; fields are brought into their ranges, so that what is read and written again stays the same.
void fuzz_schedule_read(struct fuzz_schedule *schedule, const uint8_t *data, size_t size);
// Returns the number of bytes, at most FUZZ_SCHEDULE_BYTES_MAX.
size_t fuzz_schedule_write(const struct fuzz_schedule *schedule, uint8_t *data);
// The switches as a plan, which has room for FUZZ_SWITCHES_MAX. Returns how many.
uint32_t fuzz_schedule_plan(const struct fuzz_schedule *schedule, struct cx_deviation *plan);
// The switches of a plan, to be followed as they are. 0, or -1: there are too many, or of other threads.
int fuzz_schedule_from_plan(struct fuzz_schedule *schedule, const struct cx_deviation *plan, size_t count);
// Copy as many bytes of an input as there is room for; returns how many.
size_t fuzz_bytes_fit(const uint8_t *bytes, size_t size, uint8_t *out, size_t room);
// One small change.
void fuzz_schedule_change(struct cx_prng *prng, struct fuzz_schedule *schedule);

#endif
