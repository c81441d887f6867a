// SPDX-License-Identifier: Apache-2.0
//
// past: see past.h. A table without chains: what was noted last has the place.
#include "fuzz/common/past.h"

#include "harness/exec/seed.h"

#include <string.h>

#define ENTRIES (1u << 16)
#define WEIGHT 0.2      // of the last run of a kind
#define HANDOFFS_MIN 16 // a run costs something that has no hand-offs, too
#define SCORE_PRIOR 4   // runs of a family that are taken to have ended as any

static struct entry {
    uint64_t of; // hash of an input
    struct fuzz_reached reached;
} entries[ENTRIES];
static double yields[FUZZ_KINDS];
static const struct cx_pairs *pairs;
static struct fuzz_outcome outcomes[FUZZ_OUTCOMES_MAX];
static uint32_t outcomes_count;
static struct fuzz_site sites[FUZZ_SITES_MAX];
static uint32_t idle;

static void outcome_note(const struct fuzz_schedule *schedule, uint32_t kind, const struct fuzz_reached *reached)
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
    outcomes[i].of_family[fuzz_family_of(kind)]++;
    outcomes[i].kept[outcomes[i].runs++ % FUZZ_KEPT] = (struct fuzz_kept){*schedule, reached->handoffs};
}

// Of two operations that have the same place the one to which fewer have come.
static void sites_note(const struct fuzz_schedule *schedule, const struct fuzz_reached *reached)
{
    const struct cx_sites *all = &pairs->sites;
    for (uint32_t i = 0; i < all->passed_count; i++) {
        uint32_t place = all->passed[i].site;
        struct fuzz_site *site = &sites[place % FUZZ_SITES_MAX];
        int has_it = site->place == 0 || all->passed_by[place] <= all->passed_by[site->place - 1];
        if (has_it && all->passed_by[place] < fuzz_site_often(all)) {
            *site = (struct fuzz_site){place + 1, reached->scenario, all->passed[i].handoffs, *schedule};
        }
    }
}

void fuzz_past_note(const uint8_t *data, size_t size, const struct fuzz_schedule *schedule,
                    const struct fuzz_reached *reached)
{
    uint64_t hash = cx_hash_bytes(CX_HASH_START, data, size);
    uint32_t kind = fuzz_schedule_kind(schedule);
    pairs = reached->pairs;
    if (pairs != NULL && kind < FUZZ_KINDS) {
        outcome_note(schedule, kind, reached);
        sites_note(schedule, reached);
    }
    entries[hash % ENTRIES] = (struct entry){hash, *reached};
    if (kind < FUZZ_KINDS) {
        double yield = (double)reached->fresh / (double)(HANDOFFS_MIN + reached->handoffs);
        yields[kind] += WEIGHT * (yield - yields[kind]);
    }
}

// The mean, over the runs of a family, of one over how many runs have ended that way, beside that of all runs.
static void ends_fill(struct fuzz_past *past)
{
    double runs = 0;
    double of_family[FUZZ_FAMILIES] = {0};
    double rare[FUZZ_FAMILIES] = {0};
    for (uint32_t i = 0; i < outcomes_count; i++) {
        if (outcomes[i].scenario != past->scenario) {
            continue;
        }
        runs += (double)outcomes[i].runs;
        past->ends++;
        for (uint32_t family = 0; family < FUZZ_FAMILIES; family++) {
            of_family[family] += outcomes[i].of_family[family];
            rare[family] += outcomes[i].of_family[family] / (double)outcomes[i].runs;
        }
    }
    double mean = past->ends > 0 ? past->ends / runs : 1;
    for (uint32_t family = 0; family < FUZZ_FAMILIES; family++) {
        past->scores[family] = (rare[family] / mean + SCORE_PRIOR) / (of_family[family] + SCORE_PRIOR);
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
    past.sites = sites;
    past.outcomes = outcomes;
    past.outcomes_count = outcomes_count;
    past.idle = idle;
    ends_fill(&past);
    memcpy(past.yields, yields, sizeof(past.yields));
    return past;
}
