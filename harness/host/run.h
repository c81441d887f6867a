// SPDX-License-Identifier: Apache-2.0
//
// run: playing one scenario, or one subject, in the forked child. See begin.c, play.c and program.c.
#ifndef CX_RUN_H
#define CX_RUN_H

#include "harness/exec/channel.h"
#include "harness/scenario.h"

// Take control in the child that plays a run, unless the request wants none: now, or with the first thread that it
// makes.
void cx_play_begin(struct cx_channel *channel, int from_start);

// Play the request in `channel` and leave the process; the outcome is in channel->result.
__attribute__((noreturn)) void cx_play(struct cx_channel *channel);

// 1 in the child that plays a run: crashes and failed assertions there are findings. See crash.c.
extern int cx_playing;

// Catch fatal signals, and SIGALRM after `wall_ms`, in this process. Call in the child, before control begins.
void cx_crash_install(uint32_t wall_ms);
// Give the signals back, in a process that the program has forked.
void cx_crash_uninstall(void);

#endif
