// SPDX-License-Identifier: Apache-2.0
//
// resident: see resident.h.
#include "harness/host/resident.h"

#include "harness/host/identity.h"
#include "harness/host/rewind.h"
#include "harness/host/run.h"
#include "harness/host/serve.h"
#include "harness/interpose/clock.h"
#include "harness/interpose/interpose.h"
#include "harness/sched/again.h"
#include "harness/sched/futex.h"
#include "harness/sched/sched.h"

#include <fcntl.h>

static struct cx_channel *channel; // const after init
static uint32_t scenario;          // const after init: the one that is played here
static long descriptor;            // const after init: the lowest one that is free

static int fits(const struct cx_request *request)
{
    return request->resident && request->mode == 0 && request->strategy != CX_STRATEGY_NATIVE;
}

int cx_resident_begin(struct cx_channel *requested)
{
    channel = requested;
    scenario = channel->request.scenario;
    descriptor = cx_serve_lowest_descriptor();
    cx_again_last = 0; // what was called before this run stays as it is
    if (!fits(&channel->request) || channel->batch.count > 1 || channel->identity.asan || channel->identity.tsan) {
        return 0;
    }
    return cx_rewind_mark();
}

// What the kernel keeps of the run that has just ended well.
static int leaves_something(void)
{
    for (uint32_t i = 1; i < cx_sched.count; i++) {
        if (cx_sched.threads[i].status != CX_THREAD_EXITED) {
            return 1;
        }
    }
    return cx_again_last || channel->result.uncontrolled[0] != '\0' || cx_serve_lowest_descriptor() != descriptor;
}

// On the stack of cx_rewind_back: nothing here may write to memory of this process.
static void answer(void)
{
    cx_crash_pause();
    __atomic_store_n(&channel->resident, CX_RESIDENT_ANSWERED, __ATOMIC_RELEASE);
    if (!cx_serve_send(CX_BYTE_DONE)) {
        cx_leave(0);
    }
}

static void leave(void)
{
    cx_leave(0);
}

static void next(void)
{
    char byte = 0;
    if (!cx_serve_receive(&byte) || byte != CX_BYTE_RUN) {
        cx_leave(0);
    }
    if (!fits(&channel->request) || channel->request.scenario != scenario) {
        __atomic_store_n(&channel->resident, CX_RESIDENT_DECLINES, __ATOMIC_RELEASE);
        cx_leave(0);
    }
    cx_serve_clear(channel);
    channel->resident_runs++;
    __atomic_store_n(&channel->resident, CX_RESIDENT_PLAYS, __ATOMIC_RELEASE);
    channel->result.begin_ns = cx_clock_wall_ns();
    cx_crash_resume();
}

void cx_resident_again(void)
{
    struct cx_result *result = &channel->result;
    if (leaves_something()) {
        return;
    }
    cx_finish_sum(result);
    result->end_ns = cx_clock_wall_ns();
    result->wall_ns = result->end_ns - result->begin_ns;
    result->outcome = CX_OUTCOME_PASS;
    result->complete = 1;
    cx_rewind_back(answer, next, leave);
}
