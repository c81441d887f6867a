// SPDX-License-Identifier: Apache-2.0
//
// schedule_mutate: the mutator and the cross-over of fuzz_schedule. An input is a byte, the scenario, and a schedule.
// Schedules are changed as schedules; the scenario is changed seldom, because what a schedule means belongs to it.
#include "fuzz/schedule_input.h"

#define CHANGES_MAX 4
#define BYTES_MAX (1 + FUZZ_SCHEDULE_BYTES_MAX)

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2, size_t size2, uint8_t *out,
                                 size_t max_out_size, unsigned int seed);

static void input_read(uint8_t *scenario, struct fuzz_schedule *schedule, const uint8_t *data, size_t size)
{
    *scenario = size > 0 ? data[0] : 0;
    fuzz_schedule_read(schedule, size > 0 ? data + 1 : data, size > 0 ? size - 1 : 0);
}

static size_t input_write(uint8_t scenario, const struct fuzz_schedule *schedule, uint8_t *out, size_t max_size)
{
    uint8_t bytes[BYTES_MAX];
    bytes[0] = scenario;
    return fuzz_bytes_fit(bytes, 1 + fuzz_schedule_write(schedule, bytes + 1), out, max_size);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    struct cx_prng prng = {seed};
    struct fuzz_schedule schedule;
    uint8_t scenario = 0;
    input_read(&scenario, &schedule, data, size);
    if (cx_prng_below(&prng, 8) == 0) {
        scenario = (uint8_t)cx_prng_next(&prng);
    }
    for (uint64_t left = 1 + cx_prng_below(&prng, CHANGES_MAX); left > 0; left--) {
        fuzz_schedule_change(&prng, &schedule);
    }
    return input_write(scenario, &schedule, data, max_size);
}

// The switches of both, each with even odds, under the strategy and the seed of the first. Where the second is of
// another scenario, the first's gets the second's schedule whole: its switches mean nothing beside those of this one.
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2, size_t size2, uint8_t *out,
                                 size_t max_out_size, unsigned int seed)
{
    struct cx_prng prng = {seed};
    struct fuzz_schedule first, second;
    uint8_t scenario = 0, other = 0;
    input_read(&scenario, &first, data1, size1);
    input_read(&other, &second, data2, size2);
    if (scenario != other) {
        return input_write(scenario, &second, out, max_out_size);
    }
    struct fuzz_schedule mixed = first;
    mixed.switches_count = 0;
    for (uint32_t i = 0; i < first.switches_count + second.switches_count; i++) {
        int own = i < first.switches_count;
        if (mixed.switches_count < FUZZ_SWITCHES_MAX && cx_prng_below(&prng, 2) == 0) {
            mixed.switches[mixed.switches_count++] =
                own ? first.switches[i] : second.switches[i - first.switches_count];
        }
    }
    return input_write(scenario, &mixed, out, max_out_size);
}
