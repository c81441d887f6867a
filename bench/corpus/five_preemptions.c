// SPDX-License-Identifier: Apache-2.0
//
// five_preemptions: two threads take six steps in turn, and each step is taken back unless the other's follows at
// once: five preemptions, each between two adjacent operations, and none may be left out.
#include "bench/corpus/corpus.h"

#define STEPS 6
#define PAUSE 6 // operations that matter to nobody

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int reached;
static atomic_int other_work[2];

ACTOR(stepper)
{
    int me = (int)cx_actor_index(run);
    for (int step = me; step < STEPS; step += 2) {
        for (int i = 0; i < PAUSE; i++) {
            other_work[me]++;
        }
        lock_if_fixed(&mutex);
        if (swap_if(&reached, step, step + 1)) {
            CX_CHECK(reached != STEPS);
            swap_if(&reached, step + 1, step);
        }
        unlock_if_fixed(&mutex);
    }
}

CORPUS(five_preemptions, CX_EXPECT_INVARIANT, "six steps in turn, each followed at once by the next", NULL, NULL,
       {"stepper", stepper, .count = 2});
