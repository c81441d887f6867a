// SPDX-License-Identifier: Apache-2.0
//
// version_check: a commit checks the version and writes in two steps, so the older of two commits wins.
#include "bench/corpus/corpus.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int version;
static atomic_int data;
static atomic_int commits;

ACTOR(writer)
{
    int base = version;
    int value = data + 1;
    lock_if_fixed(&mutex);
    if (version == base) {
        data = value;
        version = base + 1;
        commits++;
    }
    unlock_if_fixed(&mutex);
}

ACTOR(verify)
{
    CX_CHECK(data == commits);
}

CORPUS(version_check, CX_EXPECT_INVARIANT, "two commits pass the same version check", NULL, verify,
       {"writer", writer, .count = 3});
