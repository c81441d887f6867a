// SPDX-License-Identifier: Apache-2.0
//
// priority_wait: one condition stands for two events; the signal for the first wakes who waits for the second.
#include "bench/corpus/corpus.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int happened[2];

static void announce(int event)
{
    pthread_mutex_lock(&mutex);
    happened[event] = 1;
    if (CORPUS_FIXED) {
        pthread_cond_broadcast(&cond);
    } else {
        pthread_cond_signal(&cond);
    }
    pthread_mutex_unlock(&mutex);
}

ACTOR(announcer)
{
    announce(0);
    announce(1);
}

ACTOR(waiter)
{
    int event = (int)cx_actor_index(run);
    pthread_mutex_lock(&mutex);
    while (!happened[event]) {
        pthread_cond_wait(&cond, &mutex);
    }
    pthread_mutex_unlock(&mutex);
}

CORPUS(priority_wait, CX_EXPECT_DEADLOCK, "a signal wakes who waits for something else", NULL, NULL,
       {"announcer", announcer}, {"waiter", waiter, .count = 2});
