// SPDX-License-Identifier: Apache-2.0
//
// lookup_stale: a value is looked up without a lock, three times, and then under the lock, much as in CPython's dicts,
// where another thread replaces the value, or all keys, in between. The bug: what comes then goes on with the keys of
// the last attempt, which a change has freed. Corrected: it reads under the lock which keys there are.
#include "bench/corpus/corpus.h"

#define CHANGES 4

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int keys;
static atomic_int values[CHANGES + 1]; // of each generation of keys
static atomic_int dead[2 * CHANGES + 1];
static atomic_int freed[CHANGES + 1];

ACTOR(changer)
{
    for (int i = 0; i < CHANGES; i++) {
        int value = 2 * i;
        pthread_mutex_lock(&mutex);
        values[i] = value + 1;
        dead[value] = 1;
        pthread_mutex_unlock(&mutex);
        pthread_mutex_lock(&mutex);
        values[i + 1] = value + 2;
        keys = i + 1;
        dead[value + 1] = 1;
        freed[i] = 1;
        pthread_mutex_unlock(&mutex);
    }
}

// Each attempt is code of its own.
static inline __attribute__((always_inline)) int look_up(int *from)
{
    *from = keys;
    return !dead[values[*from]];
}

ACTOR(reader)
{
    int from = 0;
    int found = look_up(&from);
    found = found || look_up(&from);
    found = found || look_up(&from);
    if (found) {
        return;
    }
    pthread_mutex_lock(&mutex);
    if (CORPUS_FIXED) {
        from = keys;
    }
    CX_CHECK(!freed[from]);
    pthread_mutex_unlock(&mutex);
}

CORPUS(lookup_stale, CX_EXPECT_INVARIANT, "a lookup goes on with keys that are freed", NULL, NULL, {"reader", reader},
       {"changer", changer});
