// SPDX-License-Identifier: Apache-2.0
//
// record: what the runtime knows about one interpreter. It is what pyrt/pool.h hands out as struct pyrt_pool. Private
// to runtime/src.
//
// A record is made when the runtime first meets an interpreter, and outlives it for as long as somebody refers to it:
// whoever holds it learns that the interpreter is gone instead of touching it. A record never serves a second
// interpreter, although addresses and numbers of interpreters are used again. The records of main interpreters, one per
// initialization, are never freed, so that any thread may read the current one without asking.
//
// Two things close, in this order. The door closes before finalization, or when pyrt_interp_destroy decides: from then
// on nobody new gets in, and those inside have left. The queue closes when CPython clears the interpreter: what is in
// it is counted and forgotten.
//
// Locking: `registry` protects the list of records and their making. It is innermost: nothing of CPython, and no
// destructor, runs under it.
#ifndef PYRT_SRC_RECORD_H
#define PYRT_SRC_RECORD_H

#include <Python.h>

#include <stdatomic.h>
#include <stdint.h>

#include "pyrt/status.h"
#include "queue.h"
#include "thread.h"

// What all threads write with every attach has a cache line of its own.
struct pyrt_pool {
    struct pyrt__queue queue;    // atomic; closed once the interpreter is gone
    PyInterpreterState *interp;  // const after init; never followed by a thread outside
    int64_t id;                  // const after init
    void *view;                  // const after init; 3.15: names the interpreter to CPython
    struct pyrt_pool *next;      // under registry
    _Atomic int bound;           // atomic: 0 only in the first main record, before Python
    int main;                    // const after init
    _Atomic uint64_t references; // atomic; of a subinterpreter's, which goes with the last
    _Atomic uint64_t guards;     // atomic; open guards: uses that no thread holds, or main's from 3.15 on: CPython's
    _Atomic uint64_t kept;       // atomic; thread states that their threads keep
    _Atomic uint64_t uses __attribute__((aligned(PYRT__LINE))); // atomic; a count, and the three bits below
};

// What a guard adds to `guards`; and one that is closed again as soon as its ensure has begun. In the child of a fork
// those of the second kind, which the upper half counts, are gone with their threads.
#define PYRT__GUARD ((uint64_t)1)
#define PYRT__GUARD_PASSING (((uint64_t)1 << 32) + 1)

#define PYRT__USES_CLOSED ((uint64_t)1 << 63)  // nobody gets in any more
#define PYRT__USES_CLOSING ((uint64_t)1 << 62) // finalization waits for those inside; see pyrt__use_take_late
#define PYRT__USES_AWAITED ((uint64_t)1 << 61) // a drop wakes who waits
#define PYRT__USES_COUNT (PYRT__USES_AWAITED - 1)

// The record that stands for an interpreter that is ending and has lost its own. Always open, always empty.
extern struct pyrt_pool pyrt__nowhere;

extern struct pyrt_pool *_Atomic pyrt__main_record; // atomic

// The latest main interpreter's record, or the unbound one. Thread state: either.
static inline struct pyrt_pool *pyrt__record_main(void)
{
    // Acquire pairs with the release in make() of record.c: whoever sees the record sees it filled in.
    return atomic_load_explicit(&pyrt__main_record, memory_order_acquire);
}

// Find or make the record of the interpreter that is attached. Borrowed: it stays while the thread is attached.
// Thread state: attached. Blocks: no. May run Python: yes, when it is made. PYRT_OK, NO_MEMORY.
enum pyrt_status pyrt__record_current(struct pyrt_pool **record);

// True once CPython has cleared the interpreter. May be late by a moment, never early. Thread state: either.
static inline int pyrt__record_gone(const struct pyrt_pool *record)
{
    return (pyrt__queue_state(&record->queue) & PYRT__CLOSED) != 0;
}

// Count a reference, give one back. Those on main records do nothing. Thread state: either.
void pyrt__record_ref(struct pyrt_pool *record);
void pyrt__record_unref(struct pyrt_pool *record);

// Add the totals of all queues, those of freed records too. Thread state: either.
void pyrt__record_totals(struct pyrt_pool_stats *stats);

// Wake who waits for a drop. Thread state: either.
void pyrt__door_wake(void);

// True if finalization has come to the door, and this thread is not inside. Thread state: either.
int pyrt__use_awaited(const struct pyrt_pool *record);

// The same, and no guard asks for the door to stay open: this thread is too late. Thread state: either.
int pyrt__use_late(const struct pyrt_pool *record);

// The same as below once finalization waits. It would wait for ever if everybody were let in: only those are whom it
// waits for anyway, threads that are inside, and all while somebody holds a guard.
enum pyrt_status pyrt__use_take_late(struct pyrt_pool *record);

// Go through the door: the interpreter stays until the use is dropped. PYRT_OK, FINALIZING. Thread state: either.
static inline enum pyrt_status pyrt__use_take(struct pyrt_pool *record)
{
    uint64_t uses = atomic_load_explicit(&record->uses, memory_order_relaxed);
    do {
        if (uses & (PYRT__USES_CLOSED | PYRT__USES_CLOSING)) {
            return pyrt__use_take_late(record);
        }
        // Acquire pairs with the release in pyrt__use_reopen; nothing else is read on the strength of a use.
    } while (!atomic_compare_exchange_weak_explicit(&record->uses, &uses, uses + 1, memory_order_acquire,
                                                    memory_order_relaxed));
    return PYRT_OK;
}

static inline void pyrt__use_drop(struct pyrt_pool *record)
{
    // Release pairs with the acquire of whoever closes: all that this thread did inside comes before.
    if (atomic_fetch_sub_explicit(&record->uses, 1, memory_order_release) & PYRT__USES_AWAITED) {
        pyrt__door_wake();
    }
}

// Close the door if nobody is inside, and open it again. PYRT_OK, BUSY, FINALIZING.
enum pyrt_status pyrt__use_close(struct pyrt_pool *record);
void pyrt__use_reopen(struct pyrt_pool *record);

// Close the door if nobody is inside and no thread keeps a state; PYRT_OK, BUSY, FINALIZING. And go through the door,
// not put off by one that was closed only for that look.
enum pyrt_status pyrt__use_close_unkept(struct pyrt_pool *record);
enum pyrt_status pyrt__use_take_surely(struct pyrt_pool *record);

// Arrange that finalization closes the door after all have left.
// Thread state: attached. Blocks: no. May run Python: yes. PYRT_OK, NO_MEMORY.
enum pyrt_status pyrt__door_arm(struct pyrt_pool *record);

// Wait until the uses of other threads are dropped, then close. Thread state: attached; detaches to wait.
void pyrt__door_wait(struct pyrt_pool *record);

// In the child of a fork: only this thread is left. Thread state: either.
void pyrt__record_before_fork(void);
void pyrt__record_after_fork(int child);

#endif
