// SPDX-License-Identifier: Apache-2.0
//
// handoffs: parts of the channel that are about hand-offs: after which of them a strategy begins anew, which pairs of
// operations they have joined, and which operations and pairs a run is told to be known.
#ifndef CX_HANDOFFS_H
#define CX_HANDOFFS_H

#include <stdint.h>

#include "harness/prng.h"

#define CX_SEGMENTS_MAX 16
#define CX_RATE_MAX 10 // up to 1024 preemptions
#define CX_FRESH_RATE_MAX 9
#define CX_STOPS_RATE_MAX 5
#define CX_STOPS_MAX (1u << 14)
#define CX_PAIRS_MAX (1u << 16)
#define CX_TOLD_BITS (1u << 15)

// After so many hand-offs of the run, this strategy begins, from this seed. So a run that has the same segments before
// this one has the same hand-offs up to it. Segments come in the order of their hand-offs.
struct cx_segment {
    uint64_t seed;
    uint32_t after;
    uint16_t strategy; // enum cx_strategy_kind
    uint16_t rate;     // random: as dense as 2^(rate-1) to 2^rate preemptions in a whole run; 0: drawn
                       // fresh, stops: one in 2^rate of the hand-offs that would be new
};

struct cx_segments {
    uint32_t count;
    uint32_t unused;
    struct cx_segment list[CX_SEGMENTS_MAX];
};

// All pairs of operations that hand-offs have joined (who was left at which operation of which caller, and who went on
// at which), in all runs of this channel that were asked for them: a hash table with open addressing, so that they are
// counted, where the bits of result.coverage may fall together.
struct cx_pairs {
    uint32_t count;
    uint32_t lost;  // 1: there was no room for one, the count is too low
    uint32_t fresh; // pairs that the last run that was asked was the first to have
    uint32_t unused;
    uint64_t fresh_at; // the last hand-off of that run that joined a new pair, counted from 1; 0: none did
    uint64_t hashes[CX_PAIRS_MAX];
    // The operations before which strategy stops has stopped a thread, and how often; a table like that.
    uint32_t stops_count;
    uint32_t stops_sum;
    uint32_t stops[CX_STOPS_MAX];
    uint64_t stop_hashes[CX_STOPS_MAX];
};

// What strategies fresh and stops are told to be known: a bit for each pair of operations and for each operation, some
// of which fall together. `salt` decides which.
struct cx_told {
    uint64_t salt;
    uint8_t bits[CX_TOLD_BITS / 8];
};

static inline int cx_told_has(const struct cx_told *known, uint64_t hash)
{
    uint32_t bit = (uint32_t)(cx_prng_mix(hash + known->salt) % CX_TOLD_BITS);
    return known->bits[bit / 8] >> (bit % 8) & 1;
}

static inline void cx_told_add(struct cx_told *known, uint64_t hash)
{
    uint32_t bit = (uint32_t)(cx_prng_mix(hash + known->salt) % CX_TOLD_BITS);
    known->bits[bit / 8] |= (uint8_t)(1u << (bit % 8));
}

#endif
