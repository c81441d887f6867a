// SPDX-License-Identifier: Apache-2.0
//
// units: a campaign that is divided into shards is played in units.
//
// A unit is so many runs of one scenario, explored as a campaign of their own: strategies that learn begin anew in each
// one, so that what a unit shows is a function of the campaign's seed and the unit's number, whoever plays it and after
// what. A shard plays its share of the units; the store knows which of them have been played, so that a shard that was
// killed goes on where it was. docs/shards.md says why the units are of this size.
#ifndef CX_EXEC_UNITS_H
#define CX_EXEC_UNITS_H

#include "harness/exec/campaign.h"

#define CX_UNIT_RUNS 256u

// What all shards of a campaign have in common, as 32 hexadecimal digits: all that decides what a unit's runs are, but
// neither how many units there are nor which scenarios and targets.
void cx_units_campaign_id(const struct cx_campaign_options *options, char id[CX_STORE_ID_BYTES]);

// Play the units of the campaign's next scenario that belong to the shard, tell of them, and count the verdict.
enum cx_status cx_units_run(struct cx_campaign *campaign, struct cx_crew *crew, uint32_t index,
                            const struct cx_scenario_info *info, uint64_t deadline_ns, struct cx_error *error);

// 1 if a unit before this one told at least as much of the finding, in this process or in one before it.
int cx_units_outdone(struct cx_campaign *campaign, const struct cx_explore *explore, const struct cx_finding *finding);

// Name the unit in a line of `--json`, if the campaign is played in units.
void cx_units_name(const struct cx_campaign *campaign, json_t *line);

#endif
