// SPDX-License-Identifier: Apache-2.0
//
// lazy_init: whoever comes first makes the object; two come first.
#include "bench/corpus/corpus.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int object;
static atomic_int made;

ACTOR(user)
{
    lock_if_fixed(&mutex);
    if (object == 0) {
        object = 1 + made++;
    }
    unlock_if_fixed(&mutex);
    CX_CHECK(object == 1 && made == 1);
}

CORPUS(lazy_init, CX_EXPECT_INVARIANT, "two threads both find no object and make one", NULL, NULL,
       {"user", user, .count = 2});
