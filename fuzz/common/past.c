// SPDX-License-Identifier: Apache-2.0
//
// past: see past.h. A table without chains: what was noted last has the place.
#include "fuzz/common/past.h"

#include "harness/exec/seed.h"

#include <string.h>

#define ENTRIES (1u << 16)
#define WEIGHT 0.2      // of the last run of a kind
#define HANDOFFS_MIN 16 // a run costs something that has no hand-offs, too

static struct entry {
    uint64_t of; // hash of an input
    struct fuzz_reached reached;
} entries[ENTRIES];
static double yields[FUZZ_KINDS];
static const struct cx_pairs *pairs;
static struct fuzz_outcome outcomes[FUZZ_OUTCOMES_MAX];
static uint32_t outcomes_count;
static uint32_t idle;

static void outcome_note(const struct fuzz_schedule *schedule, const struct fuzz_reached *reached)
{
    uint32_t i = 0;
    idle++;
    while (i < outcomes_count && (outcomes[i].id != reached->outcome || outcomes[i].scenario != reached->scenario)) {
        i++;
    }
    if (i == FUZZ_OUTCOMES_MAX) {
        return;
    }
    if (i == outcomes_count) {
        outcomes[outcomes_count].id = reached->outcome;
        outcomes[outcomes_count++].scenario = reached->scenario;
        idle = 0;
    }
    outcomes[i].kept[outcomes[i].runs++ % FUZZ_KEPT] = (struct fuzz_kept){*schedule, reached->handoffs};
}

void fuzz_past_note(const uint8_t *data, size_t size, const struct fuzz_schedule *schedule,
                    const struct fuzz_reached *reached)
{
    uint64_t hash = cx_hash_bytes(CX_HASH_START, data, size);
    uint32_t kind = fuzz_schedule_kind(schedule);
    pairs = reached->pairs;
    if (pairs != NULL && kind < FUZZ_KINDS) {
        outcome_note(schedule, reached);
    }
    entries[hash % ENTRIES] = (struct entry){hash, *reached};
    if (kind < FUZZ_KINDS) {
        double yield = (double)reached->fresh / (double)(HANDOFFS_MIN + reached->handoffs);
        yields[kind] += WEIGHT * (yield - yields[kind]);
    }
}

struct fuzz_past fuzz_past_of(const uint8_t *data, size_t size)
{
    uint64_t hash = cx_hash_bytes(CX_HASH_START, data, size);
    const struct entry *entry = &entries[hash % ENTRIES];
    struct fuzz_past past = {0};
    if (entry->of == hash) {
        past.handoffs = entry->reached.handoffs;
        past.fresh_at = entry->reached.fresh_at;
        past.scenario = entry->reached.scenario;
    }
    past.pairs = pairs;
    past.outcomes = outcomes;
    past.outcomes_count = outcomes_count;
    past.idle = idle;
    memcpy(past.yields, yields, sizeof(past.yields));
    return past;
}
