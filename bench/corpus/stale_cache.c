// SPDX-License-Identifier: Apache-2.0
//
// stale_cache: an old value is put into the cache after the update has thrown it out.
#include "bench/corpus/corpus.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int stored = 1;
static atomic_int cached; // 0: nothing

ACTOR(reader)
{
    lock_if_fixed(&mutex);
    if (!cached) {
        int value = stored;
        cached = value;
    }
    unlock_if_fixed(&mutex);
}

ACTOR(updater)
{
    lock_if_fixed(&mutex);
    stored = 2;
    cached = 0;
    unlock_if_fixed(&mutex);
}

ACTOR(verify)
{
    CX_CHECK(!cached || cached == stored);
}

CORPUS(stale_cache, CX_EXPECT_INVARIANT, "a reader caches what an update has just replaced", NULL, verify,
       {"reader", reader, .count = 2}, {"updater", updater});
