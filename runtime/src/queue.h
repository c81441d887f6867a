// SPDX-License-Identifier: Apache-2.0
//
// queue: references that wait to be dropped, of one interpreter. Private to runtime/src.
//
// A queue is an array of shards, each a list under a lock of its own, on cache lines of its own. A thread always pushes
// into the same shard, which keeps the order of what it pushes; up to PYRT__SHARDS threads never meet. Nothing is bound
// to a thread, so that one that ends leaves nothing behind but what it has queued.
//
// One word says which shards have something, and whether the queue is closed. It is all that an attach looks at.
//
// Locking: a shard's lock is innermost, below registry, and at most one is held, but for forks, which take all. It is a
// flag: one locked instruction for a push, where a mutex takes two. What it protects is a few words; only every
// PYRT__CHUNK-th push allocates. Who finds it taken yields, and after a while sleeps between two looks, so that an
// interrupted holder gets its turn under every scheduling policy.
#ifndef PYRT_SRC_QUEUE_H
#define PYRT_SRC_QUEUE_H

#include <Python.h>

#include <stdatomic.h>
#include <stdint.h>

#include "pyrt/hook.h"
#include "pyrt/pool.h"
#include "pyrt/status.h"

#define PYRT__SHARDS 16
#define PYRT__SHARD_FIRST 18 // a shard is three cache lines
#define PYRT__CHUNK 62       // a chunk is 512 bytes
#define PYRT__LINE 64

struct pyrt__chunk {
    struct pyrt__chunk *next;       // under lock of the shard, then the drainer's
    uint64_t filled;                // under lock, likewise
    PyObject *objects[PYRT__CHUNK]; // under lock, likewise
};

// `first`, then the chunks, is the order of the pushes.
struct pyrt__shard {
    _Atomic uint32_t lock;              // atomic; 1: taken
    _Atomic uint64_t queued;            // atomic; written under lock
    PyObject **place;                   // under lock; for the next one, in `first` or in the newest chunk
    PyObject **end;                     // under lock; where that one's places end
    struct pyrt__chunk *oldest;         // under lock
    struct pyrt__chunk *newest;         // under lock
    PyObject *first[PYRT__SHARD_FIRST]; // under lock
} __attribute__((aligned(PYRT__LINE)));

struct pyrt__queue {
    struct pyrt__shard shards[PYRT__SHARDS]; // under lock of each
    _Atomic uint64_t drained;                // atomic
    _Atomic uint64_t dropped;                // atomic
    _Atomic uint64_t leaked;                 // atomic
    _Atomic uint64_t peak;                   // atomic
    // A bit for each shard that may hold something, and PYRT__CLOSED; on a line that pushes seldom write.
    _Atomic uint32_t pending __attribute__((aligned(PYRT__LINE))); // atomic
};

#define PYRT__CLOSED ((uint32_t)1 << 31)

// What a push does where the place is at hand. The rest, with the shard's lock, which it gives back.
enum pyrt_status pyrt__queue_push_slowly(struct pyrt__queue *queue, struct pyrt__shard *shard, uint32_t bit,
                                         PyObject *object);

// Wait for a shard's lock, and take it. Thread state: either. Blocks: yes.
void pyrt__shard_wait(struct pyrt__shard *shard);

static inline void pyrt__shard_lock(struct pyrt__shard *shard)
{
    // Acquire pairs with the release in pyrt__shard_unlock.
    if (__builtin_expect(atomic_exchange_explicit(&shard->lock, 1, memory_order_acquire), 0)) {
        pyrt__shard_wait(shard);
    }
}

static inline void pyrt__shard_unlock(struct pyrt__shard *shard)
{
    atomic_store_explicit(&shard->lock, 0, memory_order_release);
}

// What an attach looks at: 0 means that there is nothing to do. Relaxed, and may be late, never early: a push that
// happened before this call is seen; one that runs beside it is left to the next drain.
static inline uint32_t pyrt__queue_state(const struct pyrt__queue *queue)
{
    return atomic_load_explicit(&queue->pending, memory_order_relaxed);
}

// Put `object` at the next place and count it. Requires: lock; there is a place.
static inline void pyrt__shard_put(struct pyrt__shard *shard, PyObject *object)
{
    *shard->place++ = object;
    atomic_store_explicit(&shard->queued, atomic_load_explicit(&shard->queued, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

// Queue a reference, for the thread with the number `id`. Thread state: either. Blocks: no. May run Python: no.
// PYRT_OK; FINALIZING: closed, and counted as dropped; NO_MEMORY: counted as leaked.
static inline enum pyrt_status pyrt__queue_push(struct pyrt__queue *queue, uint64_t id, PyObject *object)
{
    uint32_t bit = (uint32_t)1 << id % PYRT__SHARDS;
    struct pyrt__shard *shard = &queue->shards[id % PYRT__SHARDS];
    pyrt_hook_point("pool.push");
    pyrt__shard_lock(shard);
    if ((pyrt__queue_state(queue) & (bit | PYRT__CLOSED)) != bit || shard->place == shard->end) {
        return pyrt__queue_push_slowly(queue, shard, bit, object);
    }
    pyrt__shard_put(shard, object);
    pyrt__shard_unlock(shard);
    return PYRT_OK;
}

// Drop what is queued until nothing is.
// Thread state: attached to the queue's interpreter. Blocks: no, but for destructors. May run Python: yes.
void pyrt__queue_drain(struct pyrt__queue *queue);

// Close it: what is queued is counted as dropped and forgotten. Thread state: either. May run Python: no.
void pyrt__queue_close(struct pyrt__queue *queue);

// Add the totals of `queue` to `stats`. Thread state: either.
void pyrt__queue_totals(const struct pyrt__queue *queue, struct pyrt_pool_stats *stats);

// Around a fork: hold every lock, so that the child finds the queue whole. Thread state: either.
void pyrt__queue_hold(struct pyrt__queue *queue);
void pyrt__queue_let_go(struct pyrt__queue *queue);

#endif
