// SPDX-License-Identifier: Apache-2.0
//
// two_stage: the second word follows from the first, each under a lock of its own; a reader comes between.
#include "bench/corpus/corpus.h"

static pthread_mutex_t first_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t second_mutex = PTHREAD_MUTEX_INITIALIZER;
static int first;
static int second;

ACTOR(writer)
{
    pthread_mutex_lock(&first_mutex);
    first = 1;
    if (!CORPUS_FIXED) {
        pthread_mutex_unlock(&first_mutex);
    }
    pthread_mutex_lock(&second_mutex);
    second = first + 1;
    pthread_mutex_unlock(&second_mutex);
    unlock_if_fixed(&first_mutex);
}

ACTOR(reader)
{
    pthread_mutex_lock(&first_mutex);
    int seen = first;
    pthread_mutex_unlock(&first_mutex);
    if (seen == 0) {
        return;
    }
    pthread_mutex_lock(&second_mutex);
    int follows = second;
    pthread_mutex_unlock(&second_mutex);
    CX_CHECK(follows == seen + 1);
}

CORPUS(two_stage_2, CX_EXPECT_INVARIANT, "two-stage locking, 1 writer and 1 reader", NULL, NULL, {"writer", writer},
       {"reader", reader});
CORPUS(two_stage_5, CX_EXPECT_INVARIANT, "two-stage locking, 4 writers and 1 reader", NULL, NULL,
       {"writer", writer, .count = 4}, {"reader", reader});
CORPUS(two_stage_10, CX_EXPECT_INVARIANT, "two-stage locking, 9 writers and 1 reader", NULL, NULL,
       {"writer", writer, .count = 9}, {"reader", reader});
