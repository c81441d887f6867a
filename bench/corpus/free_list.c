// SPDX-License-Identifier: Apache-2.0
//
// free_list: blocks are taken from a list whose head is read and moved in two steps.
#include "bench/corpus/corpus.h"

#define BLOCKS 4

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int first;
static atomic_int users[BLOCKS];

ACTOR(user)
{
    for (int i = 0; i < 2; i++) {
        lock_if_fixed(&mutex);
        int block = first;
        first = block + 1;
        unlock_if_fixed(&mutex);
        if (block < BLOCKS) {
            CX_CHECK(users[block]++ == 0);
        }
    }
}

CORPUS(free_list, CX_EXPECT_INVARIANT, "two threads take the same free block", NULL, NULL, {"user", user, .count = 2});
