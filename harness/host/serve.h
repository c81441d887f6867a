// SPDX-License-Identifier: Apache-2.0
//
// serve: the dialogue of a runner with the command (harness/exec/channel.h): one fork for every request.
#ifndef CX_SERVE_H
#define CX_SERVE_H

#include "harness/exec/channel.h"

// Map the channel that the command has left at its descriptor; NULL if there is none. Ends the process, with a line,
// if it is the channel of another build.
struct cx_channel *cx_serve_map(void);

// The dialogue, without a trace in this process: 1, or 0 if the command is gone.
int cx_serve_send(char byte);
int cx_serve_receive(char *byte);
// Before a run: an empty result and an empty output; what the request leaves open is the scenario's.
void cx_serve_clear(struct cx_channel *channel);
// The lowest descriptor that is free.
long cx_serve_lowest_descriptor(void);

// Say hello and serve until the command has enough. channel->identity and channel->scenarios are filled in; this
// process has one thread.
__attribute__((noreturn)) void cx_serve(struct cx_channel *channel);

#endif
