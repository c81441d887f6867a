// SPDX-License-Identifier: Apache-2.0
//
// handshake: two workers wait for one resume, and the first that sees it takes it away.
#include "bench/corpus/corpus.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int paused;
static int resumed;

ACTOR(controller)
{
    paused = 1;
    pthread_mutex_lock(&mutex);
    paused = 0;
    resumed = 1;
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&mutex);
}

ACTOR(worker)
{
    if (!paused) {
        return;
    }
    pthread_mutex_lock(&mutex);
    while (!resumed) {
        pthread_cond_wait(&cond, &mutex);
    }
    if (!CORPUS_FIXED) {
        resumed = 0; // the bug: what the other has still to see is taken away
    }
    pthread_mutex_unlock(&mutex);
}

CORPUS(handshake, CX_EXPECT_DEADLOCK, "the first of two workers takes away the resume", NULL, NULL,
       {"controller", controller}, {"worker", worker, .count = 2});
