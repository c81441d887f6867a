// SPDX-License-Identifier: Apache-2.0
//
// sem_misuse: a semaphore that guards a counter begins with two permits instead of one.
#include "bench/corpus/corpus.h"

static sem_t permits;
static atomic_int counter;

SETUP(prepare)
{
    return sem_init(&permits, 0, CORPUS_FIXED ? 1 : 2);
}

ACTOR(user)
{
    sem_wait(&permits);
    int seen = counter;
    counter = seen + 1;
    sem_post(&permits);
}

ACTOR(verify)
{
    CX_CHECK(counter == 3);
}

CORPUS(sem_misuse, CX_EXPECT_INVARIANT, "two permits where one was meant", prepare, verify, {"user", user, .count = 3});
