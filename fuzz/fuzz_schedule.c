// SPDX-License-Identifier: Apache-2.0
//
// fuzz_schedule: the schedule of a scenario.
//
// Property: no scenario of the target breaks, whatever the schedule.
// Input: one byte, which scenario (of those that apply to the target, without canaries and random programs); then
// strategy, depth, seed and switches as in lifecycle_input.h, without a program. CONSTRICTOR_FUZZ_SCENARIO names one
// scenario for all inputs. common/drive.h has the other variables.
#include "fuzz/common/drive.h"
#include "fuzz/common/input.h"
#include "fuzz/common/past.h"
#include "fuzz/schedule_input.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cx_deviation plan[FUZZ_SWITCHES_MAX];
    const char *name = getenv("CONSTRICTOR_FUZZ_SCENARIO");
    struct fuzz_input input = {data, size};
    struct fuzz_schedule schedule;
    struct cx_segments segments;
    uint8_t which = fuzz_input_u8(&input);
    uint32_t scenario =
        name != NULL && name[0] != '\0' ? fuzz_drive_scenario(name) : fuzz_drive_nth(which % fuzz_drive_count());
    fuzz_schedule_read(&schedule, input.at, input.left);
    fuzz_schedule_segments(&schedule, &segments);
    struct fuzz_reached reached = fuzz_drive(&(struct fuzz_run){
        .scenario = scenario,
        .strategy = fuzz_strategies[schedule.strategy],
        .pct_depth = schedule.depth + 1u,
        .seed = schedule.seed,
        .plan = plan,
        .plan_count = fuzz_schedule_plan(&schedule, plan),
        .segments = &segments,
        .known = schedule.known,
        .pairs = 1,
        .like = scenario + 1u,
        .data = data,
        .size = size,
    });
    fuzz_past_note(data, size, &schedule, &reached);
    return 0;
}
