// SPDX-License-Identifier: Apache-2.0
//
// lockfree_queue: enqueue links the node after it has moved the tail; a dequeue finds no node where one was promised.
#include "bench/corpus/corpus.h"

#define NODES 5

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int next[NODES];
static atomic_int head;
static atomic_int tail;
static atomic_int promised;

ACTOR(enqueuer)
{
    int node = 1 + (int)cx_actor_index(run);
    lock_if_fixed(&mutex);
    int before = atomic_exchange(&tail, node);
    promised++;
    next[before] = node;
    unlock_if_fixed(&mutex);
}

ACTOR(dequeuer)
{
    lock_if_fixed(&mutex);
    if (promised > 0) {
        int first = next[head];
        CX_CHECK(first != 0);
        head = first;
        promised--;
    }
    unlock_if_fixed(&mutex);
}

CORPUS(lockfree_queue, CX_EXPECT_INVARIANT, "a node that is counted before it is linked", NULL, NULL,
       {"enqueuer", enqueuer, .count = 3}, {"dequeuer", dequeuer});
