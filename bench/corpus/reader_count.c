// SPDX-License-Identifier: Apache-2.0
//
// reader_count: the first reader locks the writers out, but who is first is found out in two steps.
#include "bench/corpus/corpus.h"

static pthread_mutex_t count_mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t no_readers;
static atomic_int readers;
static atomic_int writing;

SETUP(prepare)
{
    return sem_init(&no_readers, 0, 1);
}

ACTOR(reader)
{
    lock_if_fixed(&count_mutex);
    if (++readers == 1) {
        sem_wait(&no_readers);
    }
    unlock_if_fixed(&count_mutex);
    CX_CHECK(!writing);
    lock_if_fixed(&count_mutex);
    if (--readers == 0) {
        sem_post(&no_readers);
    }
    unlock_if_fixed(&count_mutex);
}

ACTOR(writer)
{
    sem_wait(&no_readers);
    writing = 1;
    writing = 0;
    sem_post(&no_readers);
}

CORPUS(reader_count, CX_EXPECT_INVARIANT, "the second reader does not wait for the first to lock writers out", prepare,
       NULL, {"reader", reader, .count = 2}, {"writer", writer});
