// SPDX-License-Identifier: Apache-2.0
//
// barrier_missing: a second barrier is missing, so one worker overwrites what the other has still to read.
#include "bench/corpus/corpus.h"

static pthread_barrier_t barrier;
static atomic_int parts[2];

SETUP(prepare)
{
    return pthread_barrier_init(&barrier, NULL, 2);
}

static int sum_after_barrier(int part)
{
    parts[part] = 1;
    pthread_barrier_wait(&barrier);
    int sum = parts[0] + parts[1];
    CX_CHECK(sum == 2);
    if (CORPUS_FIXED) {
        pthread_barrier_wait(&barrier);
    }
    return sum;
}

ACTOR(reducer)
{
    parts[0] = sum_after_barrier(0);
}

ACTOR(worker)
{
    sum_after_barrier(1);
}

CORPUS(barrier_missing, CX_EXPECT_INVARIANT, "a part is overwritten before all have read it", prepare, NULL,
       {"reducer", reducer}, {"worker", worker});
