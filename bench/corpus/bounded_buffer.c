// SPDX-License-Identifier: Apache-2.0
//
// bounded_buffer: producers and consumers share one condition and signal it, which may wake their own kind.
#include "bench/corpus/corpus.h"

#define SLOTS 1
#define CONSUMERS 2

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int filled;

static void changed(void)
{
    if (CORPUS_FIXED) {
        pthread_cond_broadcast(&cond);
    } else {
        pthread_cond_signal(&cond);
    }
}

ACTOR(producer)
{
    for (int i = 0; i < CONSUMERS; i++) {
        pthread_mutex_lock(&mutex);
        while (filled == SLOTS) {
            pthread_cond_wait(&cond, &mutex);
        }
        filled++;
        changed();
        pthread_mutex_unlock(&mutex);
    }
}

ACTOR(consumer)
{
    pthread_mutex_lock(&mutex);
    while (filled == 0) {
        pthread_cond_wait(&cond, &mutex);
    }
    filled--;
    changed();
    pthread_mutex_unlock(&mutex);
}

CORPUS(bounded_buffer, CX_EXPECT_DEADLOCK, "a signal wakes a thread of the same kind", NULL, NULL,
       {"producer", producer}, {"consumer", consumer, .count = CONSUMERS});
