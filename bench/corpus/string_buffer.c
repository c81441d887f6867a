// SPDX-License-Identifier: Apache-2.0
//
// string_buffer: append asks another buffer for its length and copies so much; the buffer shrinks between.
#include "bench/corpus/corpus.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int length = 4;

static int length_now(void)
{
    pthread_mutex_lock(&mutex);
    int now = length;
    pthread_mutex_unlock(&mutex);
    return now;
}

static void copy(int count)
{
    pthread_mutex_lock(&mutex);
    CX_CHECK(count <= length);
    pthread_mutex_unlock(&mutex);
}

ACTOR(append)
{
    if (CORPUS_FIXED) {
        pthread_mutex_lock(&mutex);
        CX_CHECK(length >= 0);
        pthread_mutex_unlock(&mutex);
    } else {
        copy(length_now());
    }
}

ACTOR(shrink)
{
    for (int i = 0; i < 3; i++) {
        pthread_mutex_lock(&mutex);
        length = i == 1 ? 0 : 4;
        pthread_mutex_unlock(&mutex);
    }
}

CORPUS(string_buffer, CX_EXPECT_INVARIANT, "a length is asked for, then relied on", NULL, NULL, {"append", append},
       {"shrink", shrink});
