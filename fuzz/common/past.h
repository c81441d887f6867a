// SPDX-License-Identifier: Apache-2.0
//
// past: what is known of the runs of this process, by their inputs, for a mutator that is given one of them again.
#ifndef CX_FUZZ_PAST_H
#define CX_FUZZ_PAST_H

#include "fuzz/common/drive.h"
#include "fuzz/schedule_input.h"

void fuzz_past_note(const uint8_t *data, size_t size, const struct fuzz_schedule *schedule,
                    const struct fuzz_reached *reached);
// Zeroes where nothing is known.
struct fuzz_past fuzz_past_of(const uint8_t *data, size_t size);

#endif
