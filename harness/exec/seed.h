// SPDX-License-Identifier: Apache-2.0
//
// seed: the seed of one run as a pure function of the campaign's seed, the scenario, the strategy and the run's index.
// Neither --jobs nor the order in which workers answer can move it, and a shard elsewhere computes the same.
#ifndef CX_EXEC_SEED_H
#define CX_EXEC_SEED_H

#include <stddef.h>
#include <stdint.h>

#define CX_HASH_START 0xcbf29ce484222325ULL // offset basis of FNV-1a, 64 bits

// FNV-1a over `bytes` bytes, going on from `hash` (CX_HASH_START at first).
uint64_t cx_hash_bytes(uint64_t hash, const void *data, size_t bytes);

// One step of splitmix64: a bijection that spreads every bit of `x`.
uint64_t cx_mix(uint64_t x);

// The seed of run `run` of `scenario` under `strategy` (enum cx_strategy_kind).
uint64_t cx_seed_of_run(uint64_t campaign_seed, const char *scenario, uint32_t strategy, uint64_t run);

// The seed of unit `unit` of a soak, which is the campaign's seed of the runs within it.
uint64_t cx_seed_of_unit(uint64_t campaign_seed, uint64_t unit);

// The seed of one shard of a soak, which is a soak of its own: no two of a division have the same.
uint64_t cx_seed_of_shard(uint64_t campaign_seed, uint32_t index, uint32_t total);

#endif
