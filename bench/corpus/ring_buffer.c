// SPDX-License-Identifier: Apache-2.0
//
// ring_buffer: one writer, one reader, no lock; the writer moves the index before it fills the slot.
#include "bench/corpus/corpus.h"

#define SLOTS 4
#define ITEMS 6

static atomic_int slots[SLOTS];
static atomic_int written;
static atomic_int consumed;

ACTOR(writer)
{
    for (int i = 0; i < ITEMS; i++) {
        if (i - consumed >= SLOTS) {
            return; // full: it drops the rest
        }
        if (CORPUS_FIXED) {
            slots[i % SLOTS] = i + 1;
            written = i + 1;
        } else {
            written = i + 1;
            slots[i % SLOTS] = i + 1;
        }
    }
}

ACTOR(reader)
{
    for (int i = 0; i < ITEMS && i < written; i++) {
        CX_CHECK(slots[i % SLOTS] == i + 1);
        consumed = i + 1;
    }
}

CORPUS(ring_buffer, CX_EXPECT_INVARIANT, "the index moves before the slot is filled", NULL, NULL, {"writer", writer},
       {"reader", reader});
