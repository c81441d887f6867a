// SPDX-License-Identifier: Apache-2.0
//
// steal_queue: the owner of a work-stealing queue takes the last item while a thief takes it, too.
#include "bench/corpus/corpus.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int head;
static atomic_int tail;
static atomic_int taken[3];

ACTOR(owner)
{
    for (int i = 0; i < 2; i++) {
        tail = i + 1; // push item i
    }
    for (;;) {
        lock_if_fixed(&mutex);
        int last = tail - 1;
        tail = last;
        if (head > last) {
            tail = last + 1;
            unlock_if_fixed(&mutex);
            return;
        }
        unlock_if_fixed(&mutex);
        CX_CHECK(atomic_fetch_add(&taken[last], 1) == 0);
    }
}

ACTOR(thief)
{
    lock_if_fixed(&mutex);
    int first = head;
    if (first >= tail) {
        unlock_if_fixed(&mutex);
        return;
    }
    int mine = swap_if(&head, first, first + 1);
    unlock_if_fixed(&mutex);
    if (mine) {
        CX_CHECK(atomic_fetch_add(&taken[first], 1) == 0);
    }
}

CORPUS(steal_queue, CX_EXPECT_INVARIANT, "owner and thief take the same item", NULL, NULL, {"owner", owner},
       {"thief", thief, .count = 2});
