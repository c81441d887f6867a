// SPDX-License-Identifier: Apache-2.0
//
// ticket_lock: tickets are drawn in two steps, so two threads hold the same one.
#include "bench/corpus/corpus.h"

#include <sched.h>

static atomic_int next_ticket;
static atomic_int served;
static atomic_int inside;

ACTOR(customer)
{
    int mine;
    if (CORPUS_FIXED) {
        mine = next_ticket++;
    } else {
        mine = next_ticket;
        next_ticket = mine + 1;
    }
    while (served < mine) {
        sched_yield();
    }
    CX_CHECK(atomic_fetch_add(&inside, 1) == 0);
    inside--;
    served++;
}

CORPUS(ticket_lock, CX_EXPECT_INVARIANT, "two threads draw the same ticket", NULL, NULL,
       {"customer", customer, .count = 3});
