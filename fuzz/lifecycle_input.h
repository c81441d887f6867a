// SPDX-License-Identifier: Apache-2.0
//
// lifecycle_input: an input of fuzz_lifecycle: a program and its schedule, and the way to bytes and back.
//
// Any bytes are an input; what is missing is zero: 66 bytes, the fields of the program (lifecycle.h) in their order,
// then the schedule (schedule_input.h).
#ifndef CX_FUZZ_LIFECYCLE_INPUT_H
#define CX_FUZZ_LIFECYCLE_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "fuzz/lifecycle.h"
#include "fuzz/schedule_input.h"
#include "harness/exec/channel.h"

#define FUZZ_LIFECYCLE_BYTES_MAX (FUZZ_PROGRAM_FIELDS + FUZZ_SCHEDULE_BYTES_MAX)

struct fuzz_lifecycle {
    struct fuzz_program program;
    struct fuzz_schedule schedule;
};

// Any bytes; fields are brought into their ranges, so that what is read and written again stays the same.
void fuzz_lifecycle_read(struct fuzz_lifecycle *input, const uint8_t *data, size_t size);
// Returns the number of bytes, at most FUZZ_LIFECYCLE_BYTES_MAX.
size_t fuzz_lifecycle_write(const struct fuzz_lifecycle *input, uint8_t *data);

// What a request needs: the numbers that main draws, once for each of `plays` plays in one run, then the switches.
// `plan` has room for plays * FUZZ_PROGRAM_FIELDS + FUZZ_SWITCHES_MAX. Returns how many; `*picks_count` of them, the
// first, are numbers.
uint32_t fuzz_lifecycle_plan(const struct fuzz_lifecycle *input, uint32_t plays, struct cx_deviation *plan,
                             uint32_t *picks_count);

// The program of a schedule, from its picks.
void fuzz_lifecycle_from_plan(struct fuzz_program *program, const struct cx_deviation *plan, size_t count);

#endif
