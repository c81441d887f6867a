// SPDX-License-Identifier: Apache-2.0
//
// fuzz_lifecycle: a program over the runtime and the C API around it, and its schedule, on a real CPython.
//
// Property: no crash, no deadlock, nothing lost or dropped twice, and the runtime says what its model says.
// Input: lifecycle_input.h. CONSTRICTOR_FUZZ_MODE is "misuse": operations that the documentation forbids are played,
// too, and what they break is misuse; "drift": programs that finalize nothing are played again and again, and may
// leave nothing behind; or "canary", for tests. common/drive.h has the other variables.
#include "fuzz/common/drive.h"
#include "fuzz/common/input.h"
#include "fuzz/lifecycle_input.h"
#include "harness/detect/drift.h"
#include "harness/exec/seed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cx_deviation plan[CX_DRIFT_PLAYS * FUZZ_PROGRAM_FIELDS + FUZZ_SWITCHES_MAX];
    const char *mode = getenv("CONSTRICTOR_FUZZ_MODE");
    char scenario[64];
    int drift = mode != NULL && strcmp(mode, "drift") == 0;
    int plain = mode == NULL || mode[0] == '\0';
    snprintf(scenario, sizeof(scenario), "fuzz/lifecycle%s%s", plain ? "" : "_", plain ? "" : mode);
    struct fuzz_lifecycle input;
    struct cx_segments segments;
    fuzz_lifecycle_read(&input, data, size);
    uint32_t plays = drift ? CX_DRIFT_PLAYS : 1;
    uint32_t picks_count = 0;
    uint32_t plan_count = fuzz_lifecycle_plan(&input, plays, plan, &picks_count);
    fuzz_schedule_segments(&input.schedule, &segments);
    (void)fuzz_drive(&(struct fuzz_run){
        .scenario = fuzz_drive_scenario(scenario),
        .strategy = fuzz_strategies[input.schedule.strategy],
        .pct_depth = input.schedule.depth + 1u,
        .seed = input.schedule.seed,
        .plan = plan,
        .plan_count = plan_count,
        .plan_picks = picks_count,
        .segments = &segments,
        .known = input.schedule.known,
        .given = plays * FUZZ_PROGRAM_FIELDS,
        .resident = !drift && fuzz_program_stays(&input.program),
        .like = cx_hash_bytes(CX_HASH_START, (const char *)&input.program, sizeof(input.program)),
        .data = data,
        .size = size,
    });
    return 0;
}
