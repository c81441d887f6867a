// SPDX-License-Identifier: Apache-2.0
//
// refcount: a lookup finds an object and takes a reference, while the last reference goes away.
#include "bench/corpus/corpus.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int table = 1; // 1: the object can be found
static atomic_int references = 1;
static atomic_int freed;

ACTOR(finder)
{
    lock_if_fixed(&mutex);
    int found = table;
    if (found) {
        references++;
    }
    unlock_if_fixed(&mutex);
    if (found) {
        CX_CHECK(!freed);
        if (atomic_fetch_sub(&references, 1) == 1) {
            freed = 1;
        }
    }
}

ACTOR(dropper)
{
    lock_if_fixed(&mutex);
    table = 0;
    if (atomic_fetch_sub(&references, 1) == 1) {
        freed = 1;
    }
    unlock_if_fixed(&mutex);
}

CORPUS(refcount, CX_EXPECT_INVARIANT, "a reference is taken to what is being freed", NULL, NULL, {"finder", finder},
       {"dropper", dropper});
