// SPDX-License-Identifier: Apache-2.0
//
// slot: uses of the main interpreter that a thread counts in memory of its own. Private to runtime/src.
//
// The usual attach goes through the door twice. On the record's word that is two locked instructions, which cost more
// than all the rest of it; in a slot it is none. The price is paid by who closes the door: it makes every processor
// pass a barrier (membarrier(2)) after it has said that it closes, and adds up the slots. So either the thread that
// comes in sees that the door is closing, and goes by the record's word, or its use is seen. From then on the sum of
// the slots only falls.
//
// Only uses of main interpreters are counted in slots. A use may be taken on the record's word and dropped in the slot:
// the sum of both counts, and neither falls below nothing.
//
// Locking: none. Slots are put into a list and stay there; a thread takes a free one and gives it back when it ends.
#ifndef PYRT_SRC_SLOT_H
#define PYRT_SRC_SLOT_H

#include "record.h"
#include "thread.h"

struct pyrt__slot {
    struct pyrt_pool *_Atomic record; // atomic; whose uses they are; the owner changes it while there are none
    _Atomic uint64_t uses;            // atomic; written by the owner alone, but for forks
    _Atomic int taken;                // atomic
    struct pyrt__slot *next;          // const after init
} __attribute__((aligned(PYRT__LINE)));

// Ask the kernel for the barrier. Without it there are no slots. Thread state: either. Blocks: no.
void pyrt__slots_begin(void);

// What a thread has that has no slot: nobody's, and never written to.
extern struct pyrt__slot pyrt__no_slot __attribute__((visibility("hidden"))); // const after init

// Make sure that what comes in sees what was written before this call, or is seen after it. Thread state: either.
void pyrt__slots_barrier(void);

// The uses of `record` that are in slots. Thread state: either.
uint64_t pyrt__slots_sum(const struct pyrt_pool *record);

// In the child of a fork: the slots are empty, those of other threads free. Thread state: either.
void pyrt__slots_after_fork(const struct pyrt__thread *self);

// What is not done at once, for the two below.
struct pyrt__slot *pyrt__slot_for(struct pyrt_pool *record); // the thread's slot, made ready for `record`, or NULL
void pyrt__slot_drop_word(struct pyrt_pool *record);         // a use that the slot does not have

// Drop a use of `record`, which is a main interpreter's. Thread state: either.
static inline void pyrt__slot_drop(struct pyrt_pool *record)
{
    struct pyrt__slot *slot = pyrt__current.slot;
    uint64_t uses = atomic_load_explicit(&slot->uses, memory_order_relaxed);
    if (__builtin_expect(uses == 0 || atomic_load_explicit(&slot->record, memory_order_relaxed) != record, 0)) {
        pyrt__slot_drop_word(record);
        return;
    }
    // Release pairs with the acquire in pyrt__slots_sum: all that this thread did inside comes before.
    atomic_store_explicit(&slot->uses, uses - 1, memory_order_release);
    // The barrier of who waits stands between the store and the load; a wake that is missed costs it one look.
    atomic_signal_fence(memory_order_seq_cst);
    if (__builtin_expect(atomic_load_explicit(&record->uses, memory_order_relaxed) & PYRT__USES_AWAITED, 0)) {
        pyrt__door_wake();
    }
}

// Go through the door of `record`, the main interpreter's, in the slot. 1; or 0: it is closing, or there is no slot,
// and the record's word has to be asked. Thread state: either.
static inline int pyrt__slot_take(struct pyrt_pool *record)
{
    struct pyrt__slot *slot = pyrt__current.slot;
    if (__builtin_expect(atomic_load_explicit(&slot->record, memory_order_relaxed) != record, 0)) {
        slot = pyrt__slot_for(record);
        if (slot == NULL) {
            return 0;
        }
    }
    // Release pairs with the acquire in pyrt__slots_sum: who sees the use sees whose it is.
    atomic_store_explicit(&slot->uses, atomic_load_explicit(&slot->uses, memory_order_relaxed) + 1,
                          memory_order_release);
    // The barrier of who closes stands between the store and the load.
    atomic_signal_fence(memory_order_seq_cst);
    // Acquire, as in pyrt__use_take.
    uint64_t uses = atomic_load_explicit(&record->uses, memory_order_acquire);
    if (__builtin_expect((uses & (PYRT__USES_CLOSED | PYRT__USES_CLOSING)) == 0, 1)) {
        return 1;
    }
    pyrt__slot_drop(record);
    return 0;
}

#endif
