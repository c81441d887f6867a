// SPDX-License-Identifier: Apache-2.0
//
// hash_bucket: insertions lock their bucket, but the table's count, which says when to grow, belongs to no bucket.
#include "bench/corpus/corpus.h"

#define BUCKETS 4

static pthread_mutex_t buckets[BUCKETS] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
                                           PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
static int chains[BUCKETS];
static atomic_int count;

ACTOR(inserter)
{
    uint32_t bucket = cx_actor_index(run) % BUCKETS;
    for (int i = 0; i < 2; i++) {
        pthread_mutex_lock(&buckets[bucket]);
        chains[bucket]++;
        if (CORPUS_FIXED) {
            count++;
        } else {
            int seen = count;
            count = seen + 1;
        }
        pthread_mutex_unlock(&buckets[bucket]);
    }
}

ACTOR(verify)
{
    int sum = 0;
    for (int i = 0; i < BUCKETS; i++) {
        sum += chains[i];
    }
    CX_CHECK(sum == count);
}

CORPUS(hash_bucket, CX_EXPECT_INVARIANT, "a count that no bucket's lock guards", NULL, verify,
       {"inserter", inserter, .count = 3});
