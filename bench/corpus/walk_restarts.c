// SPDX-License-Identifier: Apache-2.0
//
// walk_restarts: one thread does something to all others: it takes them from a list one by one, without the lock while
// it does it, and begins anew where the list has changed meanwhile, six times (gh-137400: a function is set for all
// threads while threads come and go). The bug: then it takes what it has for all of them. Corrected: the last time it
// keeps the lock.
#include "bench/corpus/corpus.h"

#define THREADS 2
#define CHANGES 8
#define WALKS 6

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int first; // of THREADS that are alive; each change is one more; under the lock
static atomic_int done[THREADS + CHANGES];

// One thread ends and another one begins.
ACTOR(changer)
{
    for (int i = 0; i < CHANGES; i++) {
        pthread_mutex_lock(&mutex);
        first++;
        pthread_mutex_unlock(&mutex);
    }
}

// 1: the list has not changed meanwhile.
static int walk(int locked)
{
    pthread_mutex_lock(&mutex);
    int before = first;
    for (int i = before; i < before + THREADS && first == before; i++) {
        if (!locked) {
            pthread_mutex_unlock(&mutex);
        }
        done[i] = 1;
        if (!locked) {
            pthread_mutex_lock(&mutex);
        }
    }
    int unchanged = first == before;
    pthread_mutex_unlock(&mutex);
    return unchanged;
}

ACTOR(walker)
{
    int over = 0;
    for (int i = 0; i < WALKS && !over; i++) {
        over = walk(CORPUS_FIXED && i == WALKS - 1);
    }
    CX_CHECK(over);
}

CORPUS(walk_restarts, CX_EXPECT_INVARIANT, "a walk over a list that changes is given up after six attempts", NULL, NULL,
       {"walker", walker}, {"changer", changer});
