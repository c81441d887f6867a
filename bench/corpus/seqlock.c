// SPDX-License-Identifier: Apache-2.0
//
// seqlock: a writer bumps the sequence once instead of before and after, and a reader sees half of two updates.
#include "bench/corpus/corpus.h"

static atomic_int sequence;
static atomic_int low;
static atomic_int high;

ACTOR(writer)
{
    for (int i = 1; i <= 2; i++) {
        if (CORPUS_FIXED) {
            sequence++;
        }
        low = i;
        high = i;
        sequence++;
    }
}

ACTOR(reader)
{
    int before = sequence;
    int seen_low = low;
    int seen_high = high;
    if (CORPUS_FIXED && before % 2 != 0) {
        return; // an update is under way
    }
    if (sequence == before) {
        CX_CHECK(seen_low == seen_high);
    }
}

CORPUS(seqlock, CX_EXPECT_INVARIANT, "the sequence does not say that an update is under way", NULL, NULL,
       {"writer", writer}, {"reader", reader});
