// SPDX-License-Identifier: Apache-2.0
//
// pairs: which operations hand-offs have joined, and at which threads have stood (harness/exec/handoffs.h). The
// tables are the command's from one run to the next: nothing is taken out of them.
#include "harness/sched/sched.h"

#include <stddef.h>

void cx_pairs_begin(void)
{
    if (cx_sched.channel->request.pairs) {
        cx_sched.channel->pairs.fresh = 0;
        cx_sched.channel->pairs.fresh_at = 0;
        cx_sched.channel->pairs.sites.passed_count = 0;
        cx_sched.channel->pairs.sites.runs++;
    }
}

static uint64_t mark_of(const struct cx_thread *thread)
{
    return (uint64_t)(uintptr_t)thread->caller + ((uint64_t)thread->op << 56);
}

uint64_t cx_site_hash(const struct cx_thread *thread)
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

// Its place in the table of sites; CX_SITES_MAX: it has none.
static uint32_t site_of(const struct cx_thread *thread)
{
    struct cx_sites *sites = &cx_sched.channel->pairs.sites;
    if (!cx_sched.channel->request.pairs || !cx_matters(thread->op, 0)) {
        return CX_SITES_MAX;
    }
    uint64_t hash = cx_site_hash(thread);
    uint32_t at = place_of(sites->hashes, CX_SITES_MAX, hash);
    if (sites->hashes[at] == 0) {
        if (sites->count > CX_SITES_MAX / 2) {
            return CX_SITES_MAX;
        }
        sites->count++;
        sites->hashes[at] = hash;
    }
    return at;
}

void cx_sites_pass(const struct cx_thread *thread)
{
    struct cx_sites *sites = &cx_sched.channel->pairs.sites;
    uint32_t at = site_of(thread);
    if (at == CX_SITES_MAX || sites->last_run[at] == sites->runs) {
        return;
    }
    sites->last_run[at] = sites->runs;
    sites->passed_by[at]++;
    if (sites->passed_count < CX_PASSED_MAX) {
        sites->passed[sites->passed_count++] = (struct cx_passed){at, (uint32_t)cx_sched.switches};
    }
}

void cx_sites_hold(const struct cx_thread *thread)
{
    uint32_t at = site_of(thread);
    if (at < CX_SITES_MAX) {
        cx_sched.channel->pairs.sites.held_by[at]++;
    }
}

void cx_pairs_joined(const struct cx_thread *from, const struct cx_thread *to)
{
    struct cx_pairs *pairs = &cx_sched.channel->pairs;
    if (!cx_sched.channel->request.pairs) {
        return;
    }
    cx_sites_pass(from);
    cx_sites_pass(to);
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
