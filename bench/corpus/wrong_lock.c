// SPDX-License-Identifier: Apache-2.0
//
// wrong_lock: some threads guard a counter with one mutex, one thread with another.
#include "bench/corpus/corpus.h"

static pthread_mutex_t right = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t wrong = PTHREAD_MUTEX_INITIALIZER;
static atomic_int counter;

static void count_under(pthread_mutex_t *mutex)
{
    pthread_mutex_lock(mutex);
    int seen = counter;
    counter = seen + 1;
    CX_CHECK(counter == seen + 1);
    pthread_mutex_unlock(mutex);
}

ACTOR(careful)
{
    count_under(&right);
}

ACTOR(careless)
{
    count_under(CORPUS_FIXED ? &right : &wrong);
}

CORPUS(wrong_lock_2, CX_EXPECT_INVARIANT, "1 thread with the right lock, 1 with the wrong one", NULL, NULL,
       {"careful", careful}, {"careless", careless});
CORPUS(wrong_lock_4, CX_EXPECT_INVARIANT, "3 threads with the right lock, 1 with the wrong one", NULL, NULL,
       {"careful", careful, .count = 3}, {"careless", careless});
