// SPDX-License-Identifier: Apache-2.0
//
// attach_starved: a thread attaches by a compare-and-swap and gives up after three attempts, while another one, to stop
// the world, takes the state away for a moment, again and again (gh-151518: a thread on its way back is suspended
// before it wins). Each attempt has to fall into such a moment. Corrected: after the first one the thread waits until
// nobody stops the world.
#include "bench/corpus/corpus.h"

#define STOPS 4

enum { DETACHED, ATTACHED, SUSPENDED };

static pthread_mutex_t world = PTHREAD_MUTEX_INITIALIZER;
static atomic_int state = DETACHED;
static atomic_int stopped;
static atomic_int collected;

ACTOR(stopper)
{
    for (int i = 0; i < STOPS; i++) {
        pthread_mutex_lock(&world);
        stopped = 1;
        if (swap_if(&state, DETACHED, SUSPENDED)) {
            collected++;
            state = DETACHED;
        }
        stopped = 0;
        pthread_mutex_unlock(&world);
        collected++;
    }
}

static int attach_again(atomic_int *attempts)
{
    (*attempts)++;
    while (stopped) {
        sched_yield();
    }
    return swap_if(&state, DETACHED, ATTACHED);
}

ACTOR(attacher)
{
    static atomic_int second;
    static atomic_int third;
    if (swap_if(&state, DETACHED, ATTACHED)) {
        return;
    }
    lock_if_fixed(&world);
    int attached = attach_again(&second) || attach_again(&third);
    unlock_if_fixed(&world);
    CX_CHECK(attached);
}

CORPUS(attach_starved, CX_EXPECT_INVARIANT, "a thread gives up after three attempts to attach", NULL, NULL,
       {"attacher", attacher}, {"stopper", stopper});
