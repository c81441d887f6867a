// SPDX-License-Identifier: Apache-2.0
//
// pairs: which operations hand-offs have joined, and before which threads were stopped (harness/exec/handoffs.h). The
// tables are the command's from one run to the next: nothing is taken out of them.
#include "harness/sched/sched.h"

#include <stddef.h>

void cx_pairs_begin(void)
{
    if (cx_sched.channel->request.pairs) {
        cx_sched.channel->pairs.fresh = 0;
        cx_sched.channel->pairs.fresh_at = 0;
    }
}

static uint64_t mark_of(const struct cx_thread *thread)
{
    return (uint64_t)(uintptr_t)thread->caller + ((uint64_t)thread->op << 56);
}

uint64_t cx_stop_hash(const struct cx_thread *thread)
{
    return cx_prng_mix(mark_of(thread) + 1) | 1;
}

uint64_t cx_pair_hash(const struct cx_thread *from, const struct cx_thread *to)
{
    return cx_prng_mix(cx_prng_mix(mark_of(from) + 1) + mark_of(to)) | 1;
}

// Where it is or would be in a table of a power of two.
static uint32_t place_of(const uint64_t *hashes, uint32_t places, uint64_t hash)
{
    uint32_t at = (uint32_t)(hash >> 32) % places;
    while (hashes[at] != 0 && hashes[at] != hash) {
        at = (at + 1) % places;
    }
    return at;
}

void cx_pairs_joined(const struct cx_thread *from, const struct cx_thread *to)
{
    struct cx_pairs *pairs = &cx_sched.channel->pairs;
    if (!cx_sched.channel->request.pairs) {
        return;
    }
    if (pairs->count > CX_PAIRS_MAX / 2) {
        pairs->lost = 1;
        return;
    }
    uint64_t hash = cx_pair_hash(from, to);
    uint32_t at = place_of(pairs->hashes, CX_PAIRS_MAX, hash);
    if (pairs->hashes[at] == 0) {
        pairs->hashes[at] = hash;
        pairs->count++;
        pairs->fresh++;
        pairs->fresh_at = cx_sched.switches + 1;
    }
}

void cx_pairs_stopped(const struct cx_thread *thread)
{
    struct cx_pairs *pairs = &cx_sched.channel->pairs;
    uint64_t hash = cx_stop_hash(thread);
    uint32_t at = place_of(pairs->stop_hashes, CX_STOPS_MAX, hash);
    if (pairs->stop_hashes[at] == 0 && pairs->stops_count > CX_STOPS_MAX / 2) {
        return;
    }
    pairs->stops_count += pairs->stop_hashes[at] == 0;
    pairs->stop_hashes[at] = hash;
    pairs->stops[at]++;
    pairs->stops_sum++;
}
