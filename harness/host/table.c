// SPDX-License-Identifier: Apache-2.0
//
// table: what a runner says about its scenarios, from the table that CMake generates.
#include "harness/host/identity.h"

#include "harness/host/host.h"
#include "harness/scenario.h"

#include <stdio.h>
#include <string.h>

static uint32_t build_bits(const struct cx_identity *identity)
{
    if (identity->python[0] == '\0') {
        return CX_BUILD_ANY;
    }
    uint32_t threading = identity->gil_build ? CX_BUILD_GIL : CX_BUILD_FREE_THREADED;
    return threading | (identity->tsan ? CX_BUILD_TSAN : CX_BUILD_DEBUG);
}

static int is_applicable(const struct cx_scenario *scenario, uint32_t bits)
{
    uint32_t common = scenario->builds & bits;
    return (common & (CX_BUILD_GIL | CX_BUILD_FREE_THREADED)) != 0 &&
           (common & (CX_BUILD_DEBUG | CX_BUILD_TSAN)) != 0 && cx_host_has_version(scenario->python_min);
}

void cx_scenarios_describe(struct cx_channel *channel)
{
    uint32_t bits = build_bits(&channel->identity);
    channel->scenarios_count = 0;
    for (size_t i = 0; i < cx_scenario_count && i < CX_SCENARIOS_MAX; i++) {
        const struct cx_scenario *scenario = cx_scenario_table[i].scenario;
        struct cx_scenario_info *info = &channel->scenarios[channel->scenarios_count++];
        memset(info, 0, sizeof(*info));
        snprintf(info->name, sizeof(info->name), "%s", cx_scenario_table[i].name);
        snprintf(info->summary, sizeof(info->summary), "%s", scenario->summary);
        snprintf(info->tags, sizeof(info->tags), "%s", scenario->tags != NULL ? scenario->tags : "");
        snprintf(info->refs, sizeof(info->refs), "%s", scenario->refs != NULL ? scenario->refs : "");
        info->applicable = (uint32_t)is_applicable(scenario, bits);
        info->expect = scenario->expect;
        info->steps_max = scenario->steps_max != 0 ? scenario->steps_max : CX_STEPS_MAX_DEFAULT;
        info->wall_ms_max = scenario->wall_ms_max != 0 ? scenario->wall_ms_max : CX_WALL_MS_MAX_DEFAULT;
    }
}
