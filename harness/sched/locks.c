// SPDX-License-Identifier: Apache-2.0
//
// locks: who holds which lock. An open-addressing table keyed by address, for wait-for graphs and for telling a mutex
// that its holder takes again. Deletion leaves a tombstone, which an insertion of the same lock uses again: the table
// holds as many entries as a run has distinct locks that were ever held.
#include "harness/sched/again.h"
#include "harness/sched/sched.h"

#include <stddef.h>

#define SLOTS (1u << 14)

static struct {
    const void *lock;        // scheduler token
    struct cx_thread *owner; // scheduler token: NULL once released
} slots[SLOTS];
static uint32_t taken[SLOTS]; // scheduler token: the slots that are in use
static uint32_t taken_count;  // scheduler token
static uint64_t digest;       // scheduler token

static void forget(void)
{
    while (taken_count > 0) {
        slots[taken[--taken_count]].lock = NULL;
    }
}
CX_LARGE(slots, forget);
CX_LARGE(taken, NULL);

static uint32_t slot_of(const void *lock)
{
    uint32_t at = (uint32_t)cx_prng_mix((uint64_t)(uintptr_t)lock) % SLOTS;
    for (uint32_t probes = 0; probes < SLOTS; probes++) {
        if (slots[at].lock == lock || slots[at].lock == NULL) {
            return at;
        }
        at = (at + 1) % SLOTS;
    }
    // Full: forget an owner rather than stop. Only names in a report can suffer.
    return at;
}

static uint64_t mark_of(const void *lock, const struct cx_thread *owner)
{
    return cx_prng_mix((uint64_t)(uintptr_t)lock ^ ((uint64_t)owner->key << 40));
}

void cx_lock_acquired(const void *lock, struct cx_thread *owner)
{
    uint32_t at = slot_of(lock);
    if (slots[at].owner != NULL) {
        digest -= mark_of(slots[at].lock, slots[at].owner);
    }
    if (slots[at].lock == NULL) {
        taken[taken_count++] = at;
    }
    slots[at].lock = lock;
    slots[at].owner = owner;
    digest += mark_of(lock, owner);
    cx_record_lock(owner, lock, 1);
}

void cx_lock_released(const void *lock)
{
    uint32_t at = slot_of(lock);
    if (slots[at].lock == lock && slots[at].owner != NULL) {
        digest -= mark_of(lock, slots[at].owner);
        cx_record_lock(slots[at].owner, lock, 0);
        slots[at].owner = NULL;
    }
}

struct cx_thread *cx_lock_owner(const void *lock)
{
    uint32_t at = slot_of(lock);
    return slots[at].lock == lock ? slots[at].owner : NULL;
}

void cx_lock_inherit(const struct cx_thread *from, struct cx_thread *to)
{
    for (uint32_t i = 0; i < SLOTS; i++) {
        if (slots[i].owner == from) {
            digest -= mark_of(slots[i].lock, from);
            digest += mark_of(slots[i].lock, to);
            slots[i].owner = to;
        }
    }
}

uint64_t cx_lock_digest(void)
{
    return digest;
}
