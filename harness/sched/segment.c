// SPDX-License-Identifier: Apache-2.0
//
// segment: strategies that follow one another in one run, each from a seed of its own (harness/exec/handoffs.h).
//
// Whoever goes on after a hand-off arms its next stop before anything is decided again, and that is when a segment
// begins: every decision up to its hand-off is the earlier strategy's, every later one its own.
#include "harness/sched/state.h"

void cx__segments_expect(void)
{
    const struct cx_segments *given = &cx_sched.channel->request.segments;
    cx_sched.segment_at = cx_sched.segments < given->count ? given->list[cx_sched.segments].after : UINT64_MAX;
}

void cx__segments_begin(void)
{
    while (cx_sched.switches >= cx_sched.segment_at) {
        const struct cx_segment *segment = &cx_sched.channel->request.segments.list[cx_sched.segments++];
        const struct cx_strategy *strategy = cx_strategy_of(segment->strategy);
        if (strategy == NULL) {
            cx_finish(CX_OUTCOME_ERROR, "a segment names a strategy that this runner does not have", "");
        }
        cx_sched.strategy = strategy;
        cx_sched.rate = segment->rate;
        cx_sched.prng.state = segment->seed;
        strategy->begin();
        for (uint32_t i = 0; i < cx_sched.count; i++) {
            if (cx_sched.threads[i].status != CX_THREAD_EXITED) {
                strategy->thread_created(&cx_sched.threads[i]);
            }
        }
        cx__segments_expect();
    }
}
