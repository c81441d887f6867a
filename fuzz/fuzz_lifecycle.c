// SPDX-License-Identifier: Apache-2.0
//
// fuzz_lifecycle: a program over the runtime and the C API around it, and its schedule, on a real CPython.
//
// Property: no crash, no deadlock, nothing lost or dropped twice, and the runtime says what its model says.
// Input: lifecycle_input.h. CONSTRICTOR_FUZZ_MISUSE (not empty): operations that the documentation forbids are played
// too, and what they break is misuse. common/drive.h has the other variables.
#include "fuzz/common/drive.h"
#include "fuzz/common/input.h"
#include "fuzz/lifecycle_input.h"
#include "harness/exec/seed.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cx_deviation plan[FUZZ_PROGRAM_FIELDS + FUZZ_SWITCHES_MAX];
    const char *misuse = getenv("CONSTRICTOR_FUZZ_MISUSE");
    const char *scenario = misuse != NULL && misuse[0] != '\0' ? "fuzz/lifecycle_misuse" : "fuzz/lifecycle";
    struct fuzz_lifecycle input;
    fuzz_lifecycle_read(&input, data, size);
    uint32_t picks_count = 0;
    uint32_t plan_count = fuzz_lifecycle_plan(&input, plan, &picks_count);
    fuzz_drive(&(struct fuzz_run){
        .scenario = fuzz_drive_scenario(scenario),
        .strategy = fuzz_strategies[input.schedule.strategy],
        .pct_depth = input.schedule.depth + 1u,
        .seed = input.schedule.seed,
        .plan = plan,
        .plan_count = plan_count,
        .plan_picks = picks_count,
        .given = FUZZ_PROGRAM_FIELDS,
        .like = cx_hash_bytes(CX_HASH_START, (const char *)&input.program, sizeof(input.program)),
        .data = data,
        .size = size,
    });
    return 0;
}
