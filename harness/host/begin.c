// SPDX-License-Identifier: Apache-2.0
//
// begin: the first moments of a run in its child, whatever is played.
#include "harness/host/run.h"

#include "harness/detect/edges.h"
#include "harness/detect/watch.h"
#include "harness/interpose/clock.h"
#include "harness/interpose/interpose.h"
#include "harness/sched/sched.h"

int cx_playing;

// Overridden where edges are counted (harness/detect/edges.c).
__attribute__((weak)) void cx_edges_begin(void)
{
}

void cx_play_begin(struct cx_channel *channel)
{
    cx_playing = 1;
    cx_edges_begin();
    cx_clock_real = channel->request.strategy == CX_STRATEGY_NATIVE;
    cx_sched.channel = channel;
    cx_crash_install(channel->request.wall_ms_max);
    cx_crash_thread_init(0);
    if ((channel->request.mode & CX_MODE_WATCH) != 0) {
        cx_watch_begin(channel);
    }
    cx_the_real()->vary(channel->request.seed >> 32);
    channel->result.begin_ns = cx_clock_wall_ns();
}

void cx_play_control(struct cx_channel *channel, int from_start)
{
    if (channel->request.strategy == CX_STRATEGY_NATIVE) {
        return;
    }
    if (from_start) {
        cx_sched_begin(channel);
    } else {
        cx_sched_begin_later(channel);
    }
}
