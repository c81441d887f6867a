// SPDX-License-Identifier: Apache-2.0
//
// identity: what a runner says about itself.
#ifndef CX_IDENTITY_H
#define CX_IDENTITY_H

#include "harness/exec/channel.h"
#include "harness/scenario.h"

// What it is and which files it is made of.
void cx_identity_fill(struct cx_identity *identity);
// Fill channel->scenarios from the runner's table. Requires: channel->identity is filled in.
void cx_scenarios_describe(struct cx_channel *channel);
// The scenario of a request, and whether it is to be played in cycles (enum cx_cycle of harness/scenario.h).
const struct cx_scenario *cx_scenario_requested(const struct cx_channel *channel, int *in_cycles);
// Replace zeroes in channel->request by the scenario's limits.
void cx_identity_defaults(struct cx_channel *channel);

#endif
