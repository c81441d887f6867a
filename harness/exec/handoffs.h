// SPDX-License-Identifier: Apache-2.0
//
// handoffs: parts of the channel that are about hand-offs: after which of them a strategy begins anew, and which pairs
// of operations they have joined.
#ifndef CX_HANDOFFS_H
#define CX_HANDOFFS_H

#include <stdint.h>

#define CX_SEGMENTS_MAX 16
#define CX_RATE_MAX 10 // up to 1024 preemptions
#define CX_PAIRS_MAX (1u << 16)

// After so many hand-offs of the run, this strategy begins, from this seed. So a run that has the same segments before
// this one has the same hand-offs up to it. Segments come in the order of their hand-offs.
struct cx_segment {
    uint64_t seed;
    uint32_t after;
    uint16_t strategy; // enum cx_strategy_kind
    uint16_t rate;     // random: as dense as 2^(rate-1) to 2^rate preemptions in a whole run; 0: drawn
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
};

#endif
