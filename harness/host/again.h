// SPDX-License-Identifier: Apache-2.0
//
// again: the runs that one forked process plays: one, or those of a batch (harness/exec/channel.h).
#ifndef CX_HOST_AGAIN_H
#define CX_HOST_AGAIN_H

#include "harness/exec/channel.h"

// Play what is asked for in `channel` and leave; cx_play_begin comes before. `body` is one run, from its first thread's
// start to its return; not 0: the run failed. `leave` ends the process after a run as after any other, with what body
// returned.
__attribute__((noreturn)) void cx_again_play(struct cx_channel *channel, int from_start, int (*body)(void),
                                             void (*leave)(int status));

// exit(status) was called: as if the first thread's function had returned, where a run is to follow and that is all
// that it means. Else it returns.
void cx_again_exit(int status);

#endif
