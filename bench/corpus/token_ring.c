// SPDX-License-Identifier: Apache-2.0
//
// token_ring: four threads, each of which sets its word to its neighbour's plus one; all orders but one are fine.
#include "bench/corpus/corpus.h"

#define MEMBERS 4

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int words[MEMBERS];
static atomic_int passed;

ACTOR(member)
{
    int me = (int)cx_actor_index(run);
    lock_if_fixed(&mutex);
    int seen = words[(me + MEMBERS - 1) % MEMBERS];
    words[me] = seen + 1;
    passed++;
    unlock_if_fixed(&mutex);
}

ACTOR(verify)
{
    int equal = 1;
    for (int i = 1; i < MEMBERS; i++) {
        equal &= words[i] == words[0];
    }
    CX_CHECK(!equal);
}

CORPUS(token_ring, CX_EXPECT_INVARIANT, "all members read before any member writes", NULL, verify,
       {"member", member, .count = MEMBERS});
