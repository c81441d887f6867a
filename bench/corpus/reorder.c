// SPDX-License-Identifier: Apache-2.0
//
// reorder: writers set two words one after the other, a reader expects to see both or neither.
#include "bench/corpus/corpus.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int a;
static atomic_int b;

ACTOR(writer)
{
    lock_if_fixed(&mutex);
    a = 1;
    b = -1;
    unlock_if_fixed(&mutex);
}

ACTOR(reader)
{
    lock_if_fixed(&mutex);
    int first = a;
    int second = b;
    unlock_if_fixed(&mutex);
    CX_CHECK((first == 0 && second == 0) || (first == 1 && second == -1));
}

CORPUS(reorder_3, CX_EXPECT_INVARIANT, "2 writers of two words, 1 reader", NULL, NULL, {"writer", writer, .count = 2},
       {"reader", reader});
CORPUS(reorder_5, CX_EXPECT_INVARIANT, "4 writers of two words, 1 reader", NULL, NULL, {"writer", writer, .count = 4},
       {"reader", reader});
CORPUS(reorder_10, CX_EXPECT_INVARIANT, "9 writers of two words, 1 reader", NULL, NULL, {"writer", writer, .count = 9},
       {"reader", reader});
CORPUS(reorder_20, CX_EXPECT_INVARIANT, "19 writers of two words, 1 reader", NULL, NULL,
       {"writer", writer, .count = 19}, {"reader", reader});
