// SPDX-License-Identifier: Apache-2.0
//
// rwlock_upgrade: a reader lets go, becomes a writer, and believes what it read before.
#include "bench/corpus/corpus.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static int created;

ACTOR(user)
{
    pthread_rwlock_rdlock(&lock);
    int missing = created == 0;
    pthread_rwlock_unlock(&lock);
    if (!missing) {
        return;
    }
    pthread_rwlock_wrlock(&lock);
    if (!CORPUS_FIXED || created == 0) {
        created++;
    }
    CX_CHECK(created == 1);
    pthread_rwlock_unlock(&lock);
}

CORPUS(rwlock_upgrade, CX_EXPECT_INVARIANT, "what was read under the read lock is acted on under the write lock", NULL,
       NULL, {"user", user, .count = 3});
