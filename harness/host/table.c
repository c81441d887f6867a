// SPDX-License-Identifier: Apache-2.0
//
// table: what a runner says about its scenarios, from the table that CMake generates.
#include "harness/host/identity.h"

#include "harness/host/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t build_bits(const struct cx_identity *identity)
{
    if (identity->python[0] == '\0') {
        return CX_BUILD_ANY;
    }
    uint32_t threading = identity->gil_build ? CX_BUILD_GIL : CX_BUILD_FREE_THREADED;
    return threading | (identity->tsan ? CX_BUILD_TSAN : CX_BUILD_DEBUG) | (identity->asan ? CX_BUILD_ASAN : 0);
}

static int is_applicable(const struct cx_scenario *scenario, uint32_t bits)
{
    uint32_t common = scenario->builds & bits;
    return (common & (CX_BUILD_GIL | CX_BUILD_FREE_THREADED)) != 0 &&
           (common & (CX_BUILD_DEBUG | CX_BUILD_TSAN | CX_BUILD_ASAN)) != 0 &&
           cx_host_has_version(scenario->python_min);
}

// What each entry of channel->scenarios is.
static struct {
    const struct cx_scenario *scenario;
    int in_cycles;
} listed[CX_SCENARIOS_MAX]; // const after init

static void list(struct cx_channel *channel, const struct cx_scenario_entry *entry, const char *prefix, int in_cycles)
{
    if (channel->scenarios_count == CX_SCENARIOS_MAX) {
        fprintf(stderr, "constrictor runner: more scenarios than CX_SCENARIOS_MAX\n");
        exit(3);
    }
    const struct cx_scenario *scenario = entry->scenario;
    const struct cx_identity *identity = &channel->identity;
    struct cx_scenario_info *info = &channel->scenarios[channel->scenarios_count];
    listed[channel->scenarios_count].scenario = scenario;
    listed[channel->scenarios_count++].in_cycles = in_cycles;
    memset(info, 0, sizeof(*info));
    snprintf(info->name, sizeof(info->name), "%s%s", prefix, entry->name);
    snprintf(info->summary, sizeof(info->summary), "%s", scenario->summary);
    snprintf(info->tags, sizeof(info->tags), "%s", scenario->tags != NULL ? scenario->tags : "");
    snprintf(info->refs, sizeof(info->refs), "%s", scenario->refs != NULL ? scenario->refs : "");
    int counts = identity->debug && !identity->tsan; // what only such a build can count
    info->applicable = is_applicable(scenario, build_bits(identity)) && (counts || !in_cycles);
    info->expect = scenario->expect;
    info->steps_max = scenario->steps_max != 0 ? scenario->steps_max : CX_STEPS_MAX_DEFAULT;
    info->wall_ms_max = scenario->wall_ms_max != 0 ? scenario->wall_ms_max : CX_WALL_MS_MAX_DEFAULT;
}

void cx_scenarios_describe(struct cx_channel *channel)
{
    channel->scenarios_count = 0;
    for (size_t i = 0; i < cx_scenario_count; i++) {
        list(channel, &cx_scenario_table[i], "", cx_scenario_table[i].scenario->cycle == CX_CYCLE_ONLY);
    }
    for (size_t i = 0; i < cx_scenario_count; i++) {
        if (cx_scenario_table[i].scenario->cycle == CX_CYCLE) {
            list(channel, &cx_scenario_table[i], "drift/", 1);
        }
    }
}

const struct cx_scenario *cx_scenario_requested(const struct cx_channel *channel, int *in_cycles)
{
    *in_cycles = listed[channel->request.scenario].in_cycles;
    return listed[channel->request.scenario].scenario;
}
