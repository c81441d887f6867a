// SPDX-License-Identifier: Apache-2.0
//
// identity: what a runner says about itself.
#ifndef CX_IDENTITY_H
#define CX_IDENTITY_H

#include "harness/exec/channel.h"

// Fill channel->identity and channel->scenarios.
void cx_identity_fill(struct cx_channel *channel);
// Replace zeroes in channel->request by the scenario's limits.
void cx_identity_defaults(struct cx_channel *channel);

#endif
