// SPDX-License-Identifier: Apache-2.0
//
// double_checked: the flag of double-checked locking is set before the object is there.
#include "bench/corpus/corpus.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int made;
static atomic_int object;

ACTOR(user)
{
    if (!made) {
        pthread_mutex_lock(&mutex);
        if (!made) {
            if (CORPUS_FIXED) {
                object = 42;
                made = 1;
            } else {
                made = 1;
                object = 42;
            }
        }
        pthread_mutex_unlock(&mutex);
    }
    CX_CHECK(object == 42);
}

CORPUS(double_checked, CX_EXPECT_INVARIANT, "the flag is set before the object is there", NULL, NULL,
       {"user", user, .count = 3});
