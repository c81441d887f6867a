// SPDX-License-Identifier: Apache-2.0
//
// handoffs: parts of the channel that are about hand-offs: after which of them a strategy begins anew, which pairs of
// operations they have joined, and at which operations threads have stood, and what a run is told of that.
#ifndef CX_HANDOFFS_H
#define CX_HANDOFFS_H

#include <stdint.h>

#include "harness/prng.h"

#define CX_SEGMENTS_MAX 16
#define CX_RATE_MAX 10 // up to 1024 preemptions
#define CX_FRESH_RATE_MAX 9
#define CX_HOLD_RATE_MAX 2
#define CX_SITES_MAX (1u << 14)
#define CX_PASSED_MAX (1u << 11)
#define CX_PAIRS_MAX (1u << 16)
#define CX_TOLD_BITS (1u << 15)

// After so many hand-offs of the run, this strategy begins, from this seed. So a run that has the same segments before
// this one has the same hand-offs up to it. Segments come in the order of their hand-offs.
struct cx_segment {
    uint64_t seed;
    uint32_t after;
    uint16_t strategy; // enum cx_strategy_kind
    uint16_t rate;     // random: as dense as 2^(rate-1) to 2^rate preemptions in a whole run; 0: drawn
                       // fresh: one in 2^rate of the hand-offs that would be new; hold: the arrival from which on,
                       // below 2^rate
};

struct cx_segments {
    uint32_t count;
    uint32_t unused;
    struct cx_segment list[CX_SEGMENTS_MAX];
};

// Operations (of a caller) at which threads have stood where another one could have gone on, in those runs: at
// hand-offs, and wherever strategies fresh, hold and pos were asked. Not those before which it does not matter who runs
// (cx_matters). A table like that of pairs.
struct cx_sites {
    uint32_t count;
    uint32_t runs; // that were asked for them
    uint64_t hashes[CX_SITES_MAX];
    uint32_t passed_by[CX_SITES_MAX]; // so many runs
    uint32_t last_run[CX_SITES_MAX];  // of these, by its number
    uint32_t held_by[CX_SITES_MAX];   // so many runs have held a thread there (strategy_hold.c)
    // Those of the last run, in the order in which it came to them, and how many hand-offs it had had.
    uint32_t passed_count;
    struct cx_passed {
        uint32_t site;
        uint32_t handoffs;
    } passed[CX_PASSED_MAX];
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
    struct cx_sites sites;
};

// What a strategy is told: fresh, which pairs of operations are known; hold, before which operations threads are held.
// A bit for each, some of which fall together. `salt` decides which.
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
