// SPDX-License-Identifier: Apache-2.0
//
// once_only: a home-made "once" that lets the second caller through before the first has finished.
#include "bench/corpus/corpus.h"

enum { FRESH, RUNNING, DONE };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_int state;
static atomic_int value;

static void initialise(void)
{
    value = 7;
}

static void once_by_hand(void)
{
    if (swap_if(&state, FRESH, RUNNING)) {
        initialise();
        state = DONE;
    }
}

ACTOR(user)
{
    if (CORPUS_FIXED) {
        pthread_once(&once, initialise);
    } else {
        once_by_hand();
    }
    CX_CHECK(value == 7);
}

CORPUS(once_only, CX_EXPECT_INVARIANT, "the second caller does not wait for the first", NULL, NULL,
       {"user", user, .count = 2});
