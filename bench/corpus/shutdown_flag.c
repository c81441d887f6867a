// SPDX-License-Identifier: Apache-2.0
//
// shutdown_flag: a producer's last item and its "no more" are seen in the wrong order by a consumer.
#include "bench/corpus/corpus.h"

static atomic_int finished;
static atomic_int queued;
static atomic_int consumed;
static atomic_int left_behind;

ACTOR(consumer)
{
    for (int tries = 0; tries < 4; tries++) {
        if (CORPUS_FIXED) {
            int over = finished;
            consumed += atomic_exchange(&queued, 0);
            if (over) {
                return;
            }
        } else {
            consumed += atomic_exchange(&queued, 0);
            if (finished) {
                left_behind = queued;
                return;
            }
        }
    }
}

ACTOR(producer)
{
    queued++;
    queued++;
    finished = 1;
}

ACTOR(verify)
{
    CX_CHECK(!left_behind);
}

CORPUS(shutdown_flag, CX_EXPECT_INVARIANT, "the last item comes between two looks", NULL, verify,
       {"consumer", consumer}, {"producer", producer});
