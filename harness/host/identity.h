// SPDX-License-Identifier: Apache-2.0
//
// identity: what a runner says about itself.
#ifndef CX_IDENTITY_H
#define CX_IDENTITY_H

#include "harness/exec/channel.h"

// What it is and which files it is made of.
void cx_identity_fill(struct cx_identity *identity);
// Fill channel->scenarios from the runner's table. Requires: channel->identity is filled in.
void cx_scenarios_describe(struct cx_channel *channel);
// Replace zeroes in channel->request by the scenario's limits.
void cx_identity_defaults(struct cx_channel *channel);

#endif
