// SPDX-License-Identifier: Apache-2.0
//
// seed: see seed.h.
#include "harness/exec/seed.h"

#include <string.h>

uint64_t cx_hash_bytes(uint64_t hash, const void *data, size_t bytes)
{
    const unsigned char *at = data;
    for (size_t i = 0; i < bytes; i++) {
        hash ^= at[i];
        hash *= 0x100000001b3ULL;
    }
    return hash;
}

uint64_t cx_mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

uint64_t cx_seed_of_run(uint64_t campaign_seed, const char *scenario, uint32_t strategy, uint64_t run)
{
    uint64_t x = cx_mix(campaign_seed);
    x = cx_mix(x ^ cx_hash_bytes(CX_HASH_START, scenario, strlen(scenario)));
    x = cx_mix(x ^ strategy);
    return cx_mix(x ^ run);
}

// `what` makes the seeds of one kind of thing those of no other, nor of a run.
static uint64_t seed_of(uint64_t campaign_seed, const char *what, uint64_t number)
{
    uint64_t x = cx_mix(campaign_seed ^ cx_hash_bytes(CX_HASH_START, what, strlen(what) + 1));
    return cx_mix(x ^ number);
}

uint64_t cx_seed_of_unit(uint64_t campaign_seed, uint64_t unit)
{
    return seed_of(campaign_seed, "unit", unit);
}

uint64_t cx_seed_of_shard(uint64_t campaign_seed, uint32_t index, uint32_t total)
{
    return seed_of(campaign_seed, "shard", (uint64_t)total << 32 | index);
}
