// SPDX-License-Identifier: Apache-2.0
//
// stop_driver: a request is let in before the stop flag is looked at, and works on a driver that has stopped.
#include "bench/corpus/corpus.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int stopping;
static atomic_int stopped;
static atomic_int pending = 1;

static void leave(void)
{
    if (atomic_fetch_sub(&pending, 1) == 1) {
        stopped = 1;
    }
}

ACTOR(requester)
{
    lock_if_fixed(&mutex);
    if (stopping) {
        unlock_if_fixed(&mutex);
        return;
    }
    pending++;
    unlock_if_fixed(&mutex);
    CX_CHECK(!stopped);
    leave();
}

ACTOR(stopper)
{
    lock_if_fixed(&mutex);
    stopping = 1;
    unlock_if_fixed(&mutex);
    leave();
}

CORPUS(stop_driver, CX_EXPECT_INVARIANT, "a request gets into a driver that stops", NULL, NULL,
       {"requester", requester, .count = 2}, {"stopper", stopper});
