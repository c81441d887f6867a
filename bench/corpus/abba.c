// SPDX-License-Identifier: Apache-2.0
//
// abba: locks in a circle, by two threads and by three.
#include "bench/corpus/corpus.h"

static pthread_mutex_t locks[3] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
static int work;

static void with_both(uint32_t first, uint32_t second)
{
    if (CORPUS_FIXED && first > second) {
        with_both(second, first);
        return;
    }
    pthread_mutex_lock(&locks[first]);
    pthread_mutex_lock(&locks[second]);
    work++;
    pthread_mutex_unlock(&locks[second]);
    pthread_mutex_unlock(&locks[first]);
}

ACTOR(of_two)
{
    uint32_t me = cx_actor_index(run);
    with_both(me, 1 - me);
}

ACTOR(of_three)
{
    uint32_t me = cx_actor_index(run);
    with_both(me, (me + 1) % 3);
    with_both(me, (me + 1) % 3);
}

CORPUS(abba_2, CX_EXPECT_DEADLOCK, "two threads take two locks in opposite order", NULL, NULL,
       {"thread", of_two, .count = 2});
CORPUS(abba_3, CX_EXPECT_DEADLOCK, "three threads take three locks in a circle, twice", NULL, NULL,
       {"thread", of_three, .count = 3});
