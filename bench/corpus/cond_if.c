// SPDX-License-Identifier: Apache-2.0
//
// cond_if: a consumer tests once, waits, and takes for granted what it was woken for.
#include "bench/corpus/corpus.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int items;
static int closed;

ACTOR(consumer)
{
    pthread_mutex_lock(&mutex);
    if (CORPUS_FIXED) {
        while (items == 0 && !closed) {
            pthread_cond_wait(&cond, &mutex);
        }
    } else if (items == 0 && !closed) {
        pthread_cond_wait(&cond, &mutex);
    }
    if (!closed) {
        items--;
        CX_CHECK(items >= 0);
    }
    pthread_mutex_unlock(&mutex);
}

ACTOR(producer)
{
    pthread_mutex_lock(&mutex);
    items++;
    pthread_cond_signal(&cond);
    pthread_mutex_unlock(&mutex);
}

ACTOR(closer)
{
    pthread_mutex_lock(&mutex);
    closed = items == 0; // closes only what is empty; whoever waits is let go
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&mutex);
}

CORPUS(cond_if, CX_EXPECT_INVARIANT, "if instead of while around a wait", NULL, NULL,
       {"producer", producer, .count = 2}, {"consumer", consumer, .count = 2}, {"closer", closer});
