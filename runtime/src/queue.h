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
// Locking: a shard's lock is innermost, below registry, and at most one is held, but for forks, which take all. What it
// protects is a few words; only every PYRT__CHUNK-th push allocates.
#ifndef PYRT_SRC_QUEUE_H
#define PYRT_SRC_QUEUE_H

#include <Python.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "pyrt/pool.h"
#include "pyrt/status.h"

#define PYRT__SHARDS 16
#define PYRT__SHARD_FIRST 14 // a shard is three cache lines
#define PYRT__CHUNK 62       // a chunk is 512 bytes
#define PYRT__LINE 64

struct pyrt__chunk {
    struct pyrt__chunk *next;       // under lock of the shard; then the drainer's
    uint64_t filled;                // likewise
    PyObject *objects[PYRT__CHUNK]; // likewise
};

// `first`, then the chunks, is the order of the pushes.
struct pyrt__shard {
    pthread_mutex_t lock;               // innermost
    _Atomic uint64_t queued;            // atomic; written under lock
    uint64_t filled;                    // under lock; of `first`
    struct pyrt__chunk *oldest;         // under lock
    struct pyrt__chunk *newest;         // under lock
    PyObject *first[PYRT__SHARD_FIRST]; // under lock
} __attribute__((aligned(PYRT__LINE)));

struct pyrt__queue {
    struct pyrt__shard shards[PYRT__SHARDS];
    _Atomic uint64_t drained; // atomic
    _Atomic uint64_t dropped; // atomic
    _Atomic uint64_t leaked;  // atomic
    _Atomic uint64_t peak;    // atomic
    // A bit for each shard that may hold something, and PYRT__CLOSED; on a line that pushes seldom write.
    _Atomic uint32_t pending __attribute__((aligned(PYRT__LINE))); // atomic
};

#define PYRT__CLOSED ((uint32_t)1 << 31)

#define PYRT__SHARD_INIT {.lock = PTHREAD_MUTEX_INITIALIZER}
#define PYRT__QUEUE_INIT                                                                                               \
    {                                                                                                                  \
        .shards = { [0 ... PYRT__SHARDS - 1] = PYRT__SHARD_INIT }                                                      \
    }

// Make the locks of a queue that is zero otherwise; the other way is PYRT__QUEUE_INIT.
void pyrt__queue_init(struct pyrt__queue *queue);

// Queue a reference, for the thread with the number `id`. Thread state: either. Blocks: no. May run Python: no.
// PYRT_OK; FINALIZING: closed, and counted as dropped; NO_MEMORY: counted as leaked.
enum pyrt_status pyrt__queue_push(struct pyrt__queue *queue, uint64_t id, PyObject *object);

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

// What an attach looks at: 0 means that there is nothing to do. Relaxed, and may be late, never early: a push that
// happened before this call is seen; one that runs beside it is left to the next drain.
static inline uint32_t pyrt__queue_state(const struct pyrt__queue *queue)
{
    return atomic_load_explicit(&queue->pending, memory_order_relaxed);
}

#endif
