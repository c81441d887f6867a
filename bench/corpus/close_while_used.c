// SPDX-License-Identifier: Apache-2.0
//
// close_while_used: a log is flushed by one thread and closed by another, and each step alone is locked.
#include "bench/corpus/corpus.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int open_now = 1;
static int lines;

static int is_open(void)
{
    pthread_mutex_lock(&mutex);
    int now = open_now;
    pthread_mutex_unlock(&mutex);
    return now;
}

ACTOR(logger)
{
    for (int i = 0; i < 2; i++) {
        if (!is_open()) {
            return;
        }
        pthread_mutex_lock(&mutex);
        if (!CORPUS_FIXED || open_now) {
            CX_CHECK(open_now);
            lines++;
        }
        pthread_mutex_unlock(&mutex);
    }
}

ACTOR(closer)
{
    pthread_mutex_lock(&mutex);
    open_now = 0;
    pthread_mutex_unlock(&mutex);
}

CORPUS(close_while_used, CX_EXPECT_INVARIANT, "a log is closed between test and use", NULL, NULL,
       {"logger", logger, .count = 2}, {"closer", closer});
