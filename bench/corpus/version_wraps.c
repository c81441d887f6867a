// SPDX-License-Identifier: Apache-2.0
//
// version_wraps: what a lookup has found is kept beside the version of the type, as in CPython's type cache; a change
// takes the version away, and the next lookup gives a new one. The bug: there are only so many of them, and they begin
// anew, so that what was kept at an old one is valid again. Corrected: once they are used up there are none.
#include "bench/corpus/corpus.h"

#define VERSIONS 3
#define LOOKUPS 4

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; // of what follows
static int value;
static atomic_int version; // atomic, as it is looked at without the lock elsewhere
static int versions_given;

struct kept {
    int version;
    int value;
};

static void look_up(struct kept *kept)
{
    pthread_mutex_lock(&mutex);
    if (version == 0 && (!CORPUS_FIXED || versions_given < VERSIONS)) {
        version = 1 + versions_given++ % VERSIONS;
    }
    if (version != 0 && kept->version == version) {
        CX_CHECK(kept->value == value);
    }
    *kept = (struct kept){version, value};
    pthread_mutex_unlock(&mutex);
}

ACTOR(changer)
{
    for (int i = 0; i < VERSIONS; i++) {
        pthread_mutex_lock(&mutex);
        value++;
        version = 0;
        pthread_mutex_unlock(&mutex);
    }
}

ACTOR(reader)
{
    struct kept kept = {0, 0};
    for (int i = 0; i < LOOKUPS; i++) {
        look_up(&kept);
    }
}

ACTOR(sleeper)
{
    struct kept kept = {0, 0};
    look_up(&kept);
    look_up(&kept);
}

CORPUS(version_wraps, CX_EXPECT_INVARIANT, "a version comes again, and with it what was kept long ago", NULL, NULL,
       {"sleeper", sleeper}, {"reader", reader}, {"changer", changer});
