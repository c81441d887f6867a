// SPDX-License-Identifier: Apache-2.0
//
// five_preemptions: two threads take six steps in turn, and each step shows for the length of one operation, in a word
// of its own: five preemptions, each between two adjacent operations, and none may be left out.
#include "bench/corpus/corpus.h"

#define STEPS 6
#define PAUSE 2 // other operations between two steps

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int shows[STEPS];
static atomic_int other_work;

ACTOR(stepper)
{
    for (int step = (int)cx_actor_index(run); step < STEPS; step += 2) {
        for (int i = 0; i < PAUSE; i++) {
            other_work++;
        }
        lock_if_fixed(&mutex);
        if (step == 0 || shows[step - 1]) {
            CX_CHECK(step != STEPS - 1);
            shows[step] = 1;
            shows[step] = 0;
        }
        unlock_if_fixed(&mutex);
    }
}

CORPUS(five_preemptions, CX_EXPECT_INVARIANT, "six steps in turn, each seen for one operation only", NULL, NULL,
       {"stepper", stepper, .count = 2});
