// SPDX-License-Identifier: Apache-2.0
//
// join_flag: a pool counts its idle workers to know that all work is done, but a worker is idle before its last item.
#include "bench/corpus/corpus.h"

#define ITEMS 3

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int queued = ITEMS;
static atomic_int idle = 2;
static atomic_int completed;

ACTOR(worker)
{
    for (;;) {
        lock_if_fixed(&mutex);
        int item = queued;
        if (item == 0) {
            unlock_if_fixed(&mutex);
            return;
        }
        if (!swap_if(&queued, item, item - 1)) {
            unlock_if_fixed(&mutex);
            continue;
        }
        idle--; // the bug: between the two, nothing is queued and everybody is idle
        unlock_if_fixed(&mutex);
        completed++;
        idle++;
    }
}

ACTOR(watcher)
{
    lock_if_fixed(&mutex);
    int over = queued == 0 && idle == 2;
    unlock_if_fixed(&mutex);
    if (over) {
        CX_CHECK(completed == ITEMS);
    }
}

CORPUS(join_flag, CX_EXPECT_INVARIANT, "nothing is queued and all are idle, but one item is not done", NULL, NULL,
       {"worker", worker, .count = 2}, {"watcher", watcher});
