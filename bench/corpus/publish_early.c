// SPDX-License-Identifier: Apache-2.0
//
// publish_early: an object is put where others find it before all of its fields are set.
#include "bench/corpus/corpus.h"

static atomic_int fields[3];
static atomic_int published;

ACTOR(reader)
{
    if (!published) {
        return;
    }
    for (int i = 0; i < 3; i++) {
        CX_CHECK(fields[i] == 1);
    }
}

ACTOR(maker)
{
    fields[0] = 1;
    fields[1] = 1;
    if (!CORPUS_FIXED) {
        published = 1;
    }
    fields[2] = 1;
    published = 1;
}

CORPUS(publish_early, CX_EXPECT_INVARIANT, "an object is found before it is complete", NULL, NULL,
       {"reader", reader, .count = 2}, {"maker", maker});
