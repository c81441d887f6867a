// SPDX-License-Identifier: Apache-2.0
//
// aba_stack: a lock-free stack whose pop compares the top alone; a node comes back while a pop is under way.
#include "bench/corpus/corpus.h"

#define NODES 3
#define INDEX(word) ((word) & 0xff)

static _Atomic uint32_t top; // index of the top node, 0 for none; the corrected twin counts changes above it
static atomic_uint next[NODES + 1];
static atomic_int owners[NODES + 1];

static uint32_t changed(uint32_t before, uint32_t index)
{
    return CORPUS_FIXED ? ((before & ~0xffu) + 0x100) | index : index;
}

static void push(uint32_t index)
{
    atomic_fetch_sub(&owners[index], 1);
    uint32_t seen = top;
    do {
        next[index] = INDEX(seen);
    } while (!atomic_compare_exchange_strong(&top, &seen, changed(seen, index)));
}

static uint32_t pop(void)
{
    uint32_t seen = top;
    uint32_t below;
    do {
        if (INDEX(seen) == 0) {
            return 0;
        }
        below = next[INDEX(seen)];
    } while (!atomic_compare_exchange_strong(&top, &seen, changed(seen, below)));
    CX_CHECK(atomic_fetch_add(&owners[INDEX(seen)], 1) == 0);
    return INDEX(seen);
}

SETUP(fill)
{
    for (uint32_t i = 1; i <= NODES; i++) {
        owners[i] = 1;
        push(i);
    }
    return 0;
}

ACTOR(popper)
{
    pop();
    pop();
}

ACTOR(recycler)
{
    uint32_t first = pop();
    uint32_t second = pop();
    if (first != 0) {
        push(first);
    }
    (void)second; // kept: nobody else may get it
}

CORPUS(aba_stack, CX_EXPECT_INVARIANT, "a node leaves a lock-free stack and comes back during a pop", fill, NULL,
       {"popper", popper}, {"recycler", recycler});
