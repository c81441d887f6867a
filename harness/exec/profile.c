// SPDX-License-Identifier: Apache-2.0
//
// profile: see profile.h.
#include "harness/exec/profile.h"

#include <stdlib.h>
#include <string.h>

#include "harness/exec/seed.h"
#include "harness/prng.h"

#define SLOTS (4 * CX_PROFILE_OBJECTS_MAX)

// An operation that urw and surw count in most runs (cx_matters in harness/sched/choose.c).
static int counts(const struct cx_choice *choice)
{
    int passed = choice->op == CX_OP_AFTER || choice->op == CX_OP_THREAD_CREATE || choice->op == CX_OP_THREAD_START ||
                 choice->op == CX_OP_MUTEX_UNLOCK || choice->op == CX_OP_RWLOCK_UNLOCK ||
                 choice->op == CX_OP_SPIN_UNLOCK || choice->op == CX_OP_SEM_POST;
    return choice->kind == CX_CHOICE_POINT && !passed;
}

static struct cx_profile_object *object_slot(struct cx_profile_object *slots, uint64_t object)
{
    uint32_t at = (uint32_t)(cx_mix(object) % SLOTS);
    for (uint32_t probes = 0; probes < SLOTS; probes++) {
        if (slots[at].object == object || slots[at].object == 0) {
            return &slots[at];
        }
        at = (at + 1) % SLOTS;
    }
    return NULL;
}

// Keep what at least two threads use, in the order of the slots, which is that of the addresses' hashes.
static void objects_keep(struct cx_profile_table *table, const struct cx_profile_object *slots)
{
    for (uint32_t i = 0; i < SLOTS && table->objects_count < CX_PROFILE_OBJECTS_MAX; i++) {
        if (slots[i].object != 0 && (slots[i].threads & (slots[i].threads - 1)) != 0) {
            table->objects[table->objects_count++] = slots[i];
        }
    }
}

void cx_profile_learn(struct cx_profile_table *table, const struct cx_record *record)
{
    struct cx_profile_object *slots = calloc(SLOTS, sizeof(*slots));
    table->objects = calloc(CX_PROFILE_OBJECTS_MAX, sizeof(*table->objects));
    if (slots == NULL || table->objects == NULL || record->trace == NULL) {
        free(slots);
        return;
    }
    table->threads_count = record->trace_threads_count;
    memcpy(table->threads, record->trace_threads, sizeof(table->threads));
    int begun = 0; // what main does alone, before it makes the first thread, is no choice
    for (uint32_t i = 0; i < record->trace_count; i++) {
        const struct cx_choice *choice = &record->trace[i];
        if (begun && counts(choice) && choice->thread < CX_TRACE_THREADS_MAX) {
            table->events[choice->thread]++;
            struct cx_profile_object *slot = choice->object != 0 ? object_slot(slots, choice->object) : NULL;
            if (slot != NULL) {
                slot->object = choice->object;
                slot->threads |= 1ULL << choice->thread;
                slot->total++;
                slot->events[choice->thread]++;
            }
        }
        begun |= choice->op == CX_OP_THREAD_CREATE;
    }
    objects_keep(table, slots);
    free(slots);
}

void cx_profile_fini(struct cx_profile_table *table)
{
    free(table->objects);
    memset(table, 0, sizeof(*table));
}

// Each thread's operations with those of all that it makes: a child comes after its parent.
static void request_events(const struct cx_profile_table *table, const uint32_t *events, struct cx_request *request)
{
    request->profile_count = table->threads_count;
    for (uint32_t i = 0; i < table->threads_count; i++) {
        request->profile[i] = (struct cx_profile){.thread = table->threads[i].key, .events = events[i]};
    }
    for (uint32_t i = table->threads_count; i-- > 1;) {
        request->profile[table->threads[i].parent].events += request->profile[i].events;
    }
}

// The object at `place`, a fraction of 2^64, with all of them side by side, each as wide as it is used often.
static const struct cx_profile_object *object_at(const struct cx_profile_table *table, uint64_t place)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < table->objects_count; i++) {
        sum += table->objects[i].total;
    }
    uint64_t left = (uint64_t)(((unsigned __int128)place * sum) >> 64);
    uint32_t at = 0;
    while (left >= table->objects[at].total) {
        left -= table->objects[at++].total;
    }
    return &table->objects[at];
}

void cx_profile_request(const struct cx_profile_table *table, uint64_t place, struct cx_request *request)
{
    if (request->strategy == CX_STRATEGY_URW) {
        request_events(table, table->events, request);
    }
    if (request->strategy != CX_STRATEGY_SURW || table->objects_count == 0) {
        return;
    }
    struct cx_prng prng = {cx_mix(request->seed)};
    uint32_t events[CX_TRACE_THREADS_MAX] = {0};
    // Many bugs are about objects that belong together, and many about one.
    uint64_t wanted = 1 + cx_prng_below(&prng, CX_FOCUS_MAX);
    for (uint64_t i = 0, count = 0; i < wanted; i++) {
        const struct cx_profile_object *object = object_at(table, i == 0 ? place : cx_prng_next(&prng));
        if (object->object == request->focus[0] || object->object == request->focus[1]) {
            continue; // drawn before
        }
        request->focus[count++] = object->object;
        for (uint32_t k = 0; k < CX_TRACE_THREADS_MAX; k++) {
            events[k] += object->events[k];
        }
    }
    request_events(table, events, request);
}
