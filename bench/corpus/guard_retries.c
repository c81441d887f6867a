// SPDX-License-Identifier: Apache-2.0
//
// guard_retries: who finalizes waits until no guard is open, closes the door and looks again, for a guard may have been
// opened in between; then it opens the door and begins anew, six times (the guards of PEP 788; gh-136003: what has to
// end before a finalization can bring about more of it). The bug: after the sixth time it goes on all the same.
// Corrected: guards are opened under the lock under which the door is closed.
#include "bench/corpus/corpus.h"

#define GUARDS 10
#define ATTEMPTS 6

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int closed;
static atomic_int guards;
static atomic_int used;

ACTOR(opener)
{
    for (int i = 0; i < GUARDS; i++) {
        lock_if_fixed(&mutex);
        guards++;
        int refused = closed;
        unlock_if_fixed(&mutex);
        if (!refused) {
            used++;
        }
        guards--;
    }
}

ACTOR(finalizer)
{
    int alone = 0;
    for (int i = 0; i < ATTEMPTS && !alone; i++) {
        lock_if_fixed(&mutex);
        while (guards > 0) {
            sched_yield();
        }
        closed = 1;
        alone = guards == 0;
        if (!alone) {
            closed = 0;
        }
        unlock_if_fixed(&mutex);
    }
    CX_CHECK(alone);
}

CORPUS(guard_retries, CX_EXPECT_INVARIANT, "a finalization goes on when six attempts have met an open guard", NULL,
       NULL, {"opener", opener}, {"finalizer", finalizer});
