// SPDX-License-Identifier: Apache-2.0
//
// prng: the only source of randomness. Splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
// generators", OOPSLA 2014): one word of state, no floating point, the same numbers on every machine.
#ifndef CX_PRNG_H
#define CX_PRNG_H

#include <stdint.h>

struct cx_prng {
    uint64_t state;
};

static inline uint64_t cx_prng_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

static inline uint64_t cx_prng_next(struct cx_prng *prng)
{
    prng->state += 0x9e3779b97f4a7c15ULL;
    return cx_prng_mix(prng->state);
}

// A number in [0, bound); bound >= 1. The bias of the multiply-shift is below bound / 2^64.
static inline uint64_t cx_prng_below(struct cx_prng *prng, uint64_t bound)
{
    return (uint64_t)(((unsigned __int128)cx_prng_next(prng) * bound) >> 64);
}

#endif
