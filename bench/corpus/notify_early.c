// SPDX-License-Identifier: Apache-2.0
//
// notify_early: one thread announces that it is done, once, whether or not the other waits yet.
#include "bench/corpus/corpus.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int done;

ACTOR(waiter)
{
    pthread_mutex_lock(&mutex);
    if (!CORPUS_FIXED || !done) {
        pthread_cond_wait(&cond, &mutex);
    }
    pthread_mutex_unlock(&mutex);
}

ACTOR(worker)
{
    pthread_mutex_lock(&mutex);
    done = 1;
    pthread_cond_signal(&cond);
    pthread_mutex_unlock(&mutex);
}

CORPUS(notify_early, CX_EXPECT_DEADLOCK, "the one announcement comes before the wait", NULL, NULL, {"waiter", waiter},
       {"worker", worker});
