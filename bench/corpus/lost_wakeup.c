// SPDX-License-Identifier: Apache-2.0
//
// lost_wakeup: the flag that a thread waits for is set and signalled without the mutex.
#include "bench/corpus/corpus.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int ready;

ACTOR(signaller)
{
    lock_if_fixed(&mutex);
    ready = 1;
    pthread_cond_signal(&cond);
    unlock_if_fixed(&mutex);
}

ACTOR(waiter)
{
    pthread_mutex_lock(&mutex);
    while (!ready) {
        pthread_cond_wait(&cond, &mutex);
    }
    pthread_mutex_unlock(&mutex);
}

CORPUS(lost_wakeup, CX_EXPECT_DEADLOCK, "a signal between test and wait is lost", NULL, NULL, {"signaller", signaller},
       {"waiter", waiter});
