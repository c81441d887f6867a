// SPDX-License-Identifier: Apache-2.0
//
// run: playing one scenario, or one subject, in the forked child. See begin.c, play.c and program.c.
#ifndef CX_RUN_H
#define CX_RUN_H

#include "harness/exec/channel.h"
#include "harness/scenario.h"

// In the child that plays, once: what is to be ready for a run of `channel`.
void cx_play_begin(struct cx_channel *channel);
// Take control for a run, unless the request wants none: now, or with the first thread that it makes.
void cx_play_control(struct cx_channel *channel, int from_start);

// Play the request in `channel` and leave the process; the outcome is in channel->result.
__attribute__((noreturn)) void cx_play(struct cx_channel *channel);

// 1 in the child that plays a run: crashes and failed assertions there are findings. See crash.c.
extern int cx_playing;

// The name of the actor that the calling thread plays; empty for a thread that plays none. Async-signal-safe.
void cx_actor_name(char *out, size_t out_bytes);

// The real-time bound of a run is counted in so many slices. A machine that stands still for seconds, as a virtual one
// does, costs one slice and not the run.
#define CX_WALL_SLICES 8

// Catch fatal signals, and say so when `wall_ms` have passed, in this process. Call in the child, before control.
void cx_crash_install(uint32_t wall_ms);
// In a process that the program has forked, and that stays under control: timers are not inherited.
void cx_crash_rearm(void);
// The watchdog is not to count the time between two runs; then it counts anew.
void cx_crash_pause(void);
void cx_crash_resume(void);
// Give the signals back, in a process that the program has forked.
void cx_crash_uninstall(void);

#endif
