// SPDX-License-Identifier: Apache-2.0
//
// resident: a forked process that plays run after run of one scenario, each from the same memory (rewind.h), and talks
// to the command itself meanwhile; its runner waits for its end. It ends where a run does not pass, leaves something
// behind that memory does not hold, or where it is asked for what it does not play: then its runner goes on.
#ifndef CX_RESIDENT_H
#define CX_RESIDENT_H

#include "harness/exec/channel.h"

// In the process that is to play channel->request: stay for further runs, if the request and this machine allow it.
// Returns before each of these runs, and 1 then. 0: this process has one run.
int cx_resident_begin(struct cx_channel *channel);

// The run has ended well: tell the command, and go on with the next. Returns if there can be none in this process.
void cx_resident_again(void);

#endif
