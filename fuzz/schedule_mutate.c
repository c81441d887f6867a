// SPDX-License-Identifier: Apache-2.0
//
// schedule_mutate: the mutator of fuzz_schedule. An input is a byte, the scenario, and a schedule. Schedules are
// changed as schedules; the scenario is changed seldom, because what a schedule means belongs to it.
#include "fuzz/common/past.h"
#include "fuzz/schedule_input.h"

#define BYTES_MAX (1 + FUZZ_SCHEDULE_BYTES_MAX)

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

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
    const struct fuzz_past past = fuzz_past_of(data, size);
    input_read(&scenario, &schedule, data, size);
    if (cx_prng_below(&prng, 8) == 0) {
        scenario = (uint8_t)cx_prng_next(&prng);
    }
    fuzz_schedule_change(&prng, &schedule, &past);
    return input_write(scenario, &schedule, data, max_size);
}
