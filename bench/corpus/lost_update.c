// SPDX-License-Identifier: Apache-2.0
//
// lost_update: counters that are read and written in two steps.
#include "bench/corpus/corpus.h"

#define ROUNDS 3

static atomic_int counter;

ACTOR(adder)
{
    for (int i = 0; i < ROUNDS; i++) {
        if (CORPUS_FIXED) {
            counter++;
        } else {
            int seen = counter;
            counter = seen + 1;
        }
    }
}

ACTOR(verify_2)
{
    CX_CHECK(counter == 2 * ROUNDS);
}

// All but two additions are lost: each of the three must stop in the middle at the right moment.
ACTOR(verify_smallest)
{
    CX_CHECK(CORPUS_FIXED || counter > 2);
}

CORPUS(lost_update, CX_EXPECT_INVARIANT, "two threads add in two steps", NULL, verify_2, {"adder", adder, .count = 2});
CORPUS(lost_update_all, CX_EXPECT_INVARIANT, "two threads add three times each, and the sum is two", NULL,
       verify_smallest, {"adder", adder, .count = 2});
