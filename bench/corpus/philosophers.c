// SPDX-License-Identifier: Apache-2.0
//
// philosophers: each takes the left fork, then the right one.
#include "bench/corpus/corpus.h"

#define SEATS_MAX 5

static pthread_mutex_t forks[SEATS_MAX] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
                                           PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
                                           PTHREAD_MUTEX_INITIALIZER};

static void eat(uint32_t me, uint32_t seats)
{
    uint32_t left = me;
    uint32_t right = (me + 1) % seats;
    if (CORPUS_FIXED && left > right) {
        left = right;
        right = me;
    }
    pthread_mutex_lock(&forks[left]);
    pthread_mutex_lock(&forks[right]);
    pthread_mutex_unlock(&forks[right]);
    pthread_mutex_unlock(&forks[left]);
}

ACTOR(one_of_three)
{
    eat(cx_actor_index(run), 3);
}

ACTOR(one_of_five)
{
    eat(cx_actor_index(run), 5);
}

CORPUS(philosophers_3, CX_EXPECT_DEADLOCK, "three philosophers hold one fork each", NULL, NULL,
       {"philosopher", one_of_three, .count = 3});
CORPUS(philosophers_5, CX_EXPECT_DEADLOCK, "five philosophers hold one fork each", NULL, NULL,
       {"philosopher", one_of_five, .count = 5});
