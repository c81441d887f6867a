// SPDX-License-Identifier: Apache-2.0
//
// slot: the list of slots, and the barrier that makes them seen.
#include <Python.h>

#include "slot.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct pyrt__slot *_Atomic slots; // atomic
static _Atomic int usable;               // atomic; the kernel has the barrier, and threads that end are noticed
static pthread_key_t ending;             // const after init
static pthread_once_t once = PTHREAD_ONCE_INIT;

struct pyrt__slot pyrt__no_slot = {.record = &pyrt__nowhere};

static long membarrier(int command)
{
    return syscall(SYS_membarrier, command, 0, 0);
}

// The thread ends; a destructor that comes later and attaches takes a slot anew. One that is in use stays taken: the
// thread has not released what it began.
static void give_back(void *memory)
{
    struct pyrt__slot *slot = memory;
    if (atomic_load_explicit(&slot->uses, memory_order_relaxed) != 0) {
        pthread_setspecific(ending, slot); // another round of destructors may release it
        return;
    }
    pyrt__current.slot = &pyrt__no_slot;
    // Release pairs with the exchange in free_slot.
    atomic_store_explicit(&slot->taken, 0, memory_order_release);
}

static void begin(void)
{
    if (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0 && pthread_key_create(&ending, give_back) == 0) {
        // Release pairs with the acquire in claim: the key is there.
        atomic_store_explicit(&usable, 1, memory_order_release);
    }
}

void pyrt__slots_begin(void)
{
    pthread_once(&once, begin);
}

static struct pyrt__slot *free_slot(void)
{
    // Acquire pairs with the release below: who sees a slot sees it filled in.
    struct pyrt__slot *slot = atomic_load_explicit(&slots, memory_order_acquire);
    while (slot != NULL && (atomic_load_explicit(&slot->taken, memory_order_relaxed) != 0 ||
                            atomic_exchange_explicit(&slot->taken, 1, memory_order_acquire) != 0)) {
        slot = slot->next;
    }
    return slot;
}

// A slot for the calling thread, or NULL: there is no barrier, or no memory.
static struct pyrt__slot *claim(void)
{
    if (atomic_load_explicit(&usable, memory_order_acquire) == 0) {
        return NULL;
    }
    struct pyrt__slot *slot = free_slot();
    if (slot == NULL) {
        slot = aligned_alloc(_Alignof(struct pyrt__slot), sizeof *slot);
        if (slot == NULL) {
            return NULL;
        }
        *slot = (struct pyrt__slot){.record = &pyrt__nowhere, .taken = 1};
        slot->next = atomic_load_explicit(&slots, memory_order_relaxed);
        while (!atomic_compare_exchange_weak_explicit(&slots, &slot->next, slot, memory_order_release,
                                                      memory_order_relaxed)) {
        }
    }
    if (pthread_setspecific(ending, slot) != 0) {
        atomic_store_explicit(&slot->taken, 0, memory_order_release);
        return NULL;
    }
    pyrt__thread_self()->slot = slot;
    return slot;
}

struct pyrt__slot *pyrt__slot_for(struct pyrt_pool *record)
{
    struct pyrt__slot *slot = pyrt__current.slot != &pyrt__no_slot ? pyrt__current.slot : claim();
    if (slot == NULL || atomic_load_explicit(&slot->uses, memory_order_relaxed) > 0) {
        return NULL; // uses: scopes that have outlived another interpreter
    }
    atomic_store_explicit(&slot->record, record, memory_order_relaxed);
    return slot;
}

void pyrt__slot_drop_word(struct pyrt_pool *record)
{
    pyrt__use_drop(record);
}

void pyrt__slots_barrier(void)
{
    atomic_thread_fence(memory_order_seq_cst); // this thread's own
    if (!atomic_load_explicit(&usable, memory_order_acquire)) {
        return;
    }
    // A child that was forked may have to ask again.
    if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0 &&
        (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) != 0 ||
         membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0)) {
        pyrt__die("membarrier", PYRT_UNSUPPORTED);
    }
}

uint64_t pyrt__slots_sum(const struct pyrt_pool *record)
{
    uint64_t sum = 0;
    for (struct pyrt__slot *slot = atomic_load_explicit(&slots, memory_order_acquire); slot != NULL;
         slot = slot->next) {
        // Acquire pairs with the releases in pyrt__slot_take and pyrt__slot_drop.
        uint64_t uses = atomic_load_explicit(&slot->uses, memory_order_acquire);
        if (atomic_load_explicit(&slot->record, memory_order_relaxed) == record) {
            sum += uses;
        }
    }
    return sum;
}

void pyrt__slots_after_fork(const struct pyrt__thread *self)
{
    for (struct pyrt__slot *slot = atomic_load_explicit(&slots, memory_order_relaxed); slot != NULL;
         slot = slot->next) {
        atomic_store_explicit(&slot->uses, 0, memory_order_relaxed);
        atomic_store_explicit(&slot->taken, slot == self->slot, memory_order_relaxed);
    }
}
