// SPDX-License-Identifier: Apache-2.0
//
// feedback: schedules that reach something new are kept and mutated, after Fest of the Fray project (Li et al., "Fray:
// an efficient general-purpose concurrency testing platform for the JVM", OOPSLA 2025), which mutates the stream of
// random choices of a base strategy, and RFF (Wolff, Shi, Duck, Mathur and Roychoudhury, "Greybox fuzzing for
// concurrency testing", ASPLOS 2024), which counts pairs of a write and the read that sees it.
//
// The base strategy is pos. New is a bit of the run's coverage: a hand-off from one operation to another, or two
// conflicting operations of two threads next to each other on one object.
//
// Where ours differs: a choice is named by its thread and that thread's own count, not by its place in a stream, so a
// mutation leaves all other choices of the run as they were; there are no obligations that steer towards a pair; a
// quarter of the runs are fresh, so that nothing is out of reach; and what is kept takes part from the next generation
// on, so that the runs do not depend on the number of jobs.
#include "harness/exec/feedback.h"

#include <stdlib.h>
#include <string.h>

#include "harness/exec/seed.h"
#include "harness/prng.h"

#define MUTATIONS_NEW_MAX 8

void cx_feedback_fini(struct cx_feedback *feedback)
{
    free(feedback->kept);
    memset(feedback, 0, sizeof(*feedback));
}

static void mutate(struct cx_prng *prng, const struct cx_profile_table *profile, struct cx_request *request,
                   struct cx_deviation *plan)
{
    uint64_t count = 1 + cx_prng_below(prng, MUTATIONS_NEW_MAX);
    for (uint64_t i = 0; i < count && request->plan_count < CX_FEEDBACK_MUTATIONS_MAX; i++) {
        uint32_t thread = (uint32_t)cx_prng_below(prng, profile->threads_count);
        // An operation draws once, and again after each conflict: twice the operations reach most of the draws.
        plan[request->plan_count++] = (struct cx_deviation){
            .kind = CX_DEVIATION_PRIORITY,
            .thread = profile->threads[thread].key,
            .point = 1 + cx_prng_below(prng, 2 * (uint64_t)profile->events[thread] + 1),
            .object = cx_prng_next(prng),
        };
    }
}

void cx_feedback_request(const struct cx_feedback *feedback, const struct cx_profile_table *profile, uint64_t seed,
                         struct cx_request *request, struct cx_deviation *plan)
{
    struct cx_prng prng = {cx_mix(seed ^ CX_STRATEGY_FEEDBACK)};
    request->strategy = CX_STRATEGY_POS;
    if (feedback->usable_count == 0 || profile->threads_count == 0 || cx_prng_below(&prng, 4) == 0) {
        return;
    }
    uint32_t usable = feedback->usable_count < CX_FEEDBACK_KEPT_MAX ? feedback->usable_count : CX_FEEDBACK_KEPT_MAX;
    const struct cx_feedback_kept *kept = &feedback->kept[cx_prng_below(&prng, usable)];
    request->seed = kept->seed;
    request->plan_count = kept->mutations_count;
    memcpy(plan, kept->mutations, kept->mutations_count * sizeof(*plan));
    mutate(&prng, profile, request, plan);
}

static int brings_news(struct cx_feedback *feedback, const struct cx_record *record)
{
    uint64_t fresh = 0;
    for (uint32_t i = 0; i < CX_COVERAGE_WORDS; i++) {
        fresh |= record->coverage[i] & ~feedback->seen[i];
        feedback->seen[i] |= record->coverage[i];
    }
    return fresh != 0;
}

void cx_feedback_judge(struct cx_feedback *feedback, const struct cx_record *record)
{
    if (!brings_news(feedback, record) || record->strategy != CX_STRATEGY_POS) {
        return;
    }
    if (feedback->kept == NULL) {
        feedback->kept = calloc(2 * CX_FEEDBACK_KEPT_MAX, sizeof(*feedback->kept));
    }
    // What is new waits in the upper half until its generation is over.
    uint32_t waiting = feedback->kept_count - feedback->usable_count;
    if (feedback->kept == NULL || waiting == CX_FEEDBACK_KEPT_MAX) {
        return;
    }
    struct cx_feedback_kept *kept = &feedback->kept[CX_FEEDBACK_KEPT_MAX + waiting];
    kept->seed = record->seed;
    kept->mutations_count = record->mutations_count;
    memcpy(kept->mutations, record->mutations, record->mutations_count * sizeof(kept->mutations[0]));
    feedback->kept_count++;
}

void cx_feedback_generation(struct cx_feedback *feedback)
{
    for (uint32_t i = 0; feedback->usable_count < feedback->kept_count; i++) {
        feedback->kept[feedback->usable_count++ % CX_FEEDBACK_KEPT_MAX] = feedback->kept[CX_FEEDBACK_KEPT_MAX + i];
    }
}
