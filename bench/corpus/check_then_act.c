// SPDX-License-Identifier: Apache-2.0
//
// check_then_act: three threads buy two tickets, each in a test and a subtraction.
#include "bench/corpus/corpus.h"

static atomic_int tickets = 2;

ACTOR(buyer)
{
    int left = tickets;
    if (left <= 0) {
        return;
    }
    if (CORPUS_FIXED) {
        while (left > 0 && !atomic_compare_exchange_strong(&tickets, &left, left - 1)) {
        }
    } else {
        tickets--;
    }
}

ACTOR(verify)
{
    CX_CHECK(tickets >= 0);
}

CORPUS(check_then_act, CX_EXPECT_INVARIANT, "more tickets are sold than there are", NULL, verify,
       {"buyer", buyer, .count = 3});
