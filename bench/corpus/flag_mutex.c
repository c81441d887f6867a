// SPDX-License-Identifier: Apache-2.0
//
// flag_mutex: mutual exclusion by two flags, each looked at before one's own is raised.
#include "bench/corpus/corpus.h"

static atomic_int wants[2];
static atomic_int inside;

ACTOR(contender)
{
    uint32_t me = cx_actor_index(run);
    if (CORPUS_FIXED) {
        wants[me] = 1;
    }
    if (!wants[1 - me]) {
        if (!CORPUS_FIXED) {
            wants[me] = 1;
        }
        CX_CHECK(atomic_fetch_add(&inside, 1) == 0);
        inside--;
    }
    wants[me] = 0;
}

CORPUS(flag_mutex, CX_EXPECT_INVARIANT, "each looks before it raises its flag", NULL, NULL,
       {"contender", contender, .count = 2});
