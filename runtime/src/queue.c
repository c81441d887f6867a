// SPDX-License-Identifier: Apache-2.0
//
// queue: push, drain and close.
//
// Why no push is overlooked although the word `pending` is read and written without order: a push looks at its bit
// under the shard's lock, and a drain clears the bit before it takes that lock. A push that comes under the lock later
// therefore finds the bit cleared, or set again, and sees to it that it is set; one that came earlier is taken by this
// drain. The closed bit works the same way.
//
// Nothing is held while references are dropped. What a drain has taken out is its own, on its stack and in chunks that
// it frees; a thread that finalization parks inside a destructor keeps what it had taken. These references are lost
// with their interpreter, and `queued - drained - dropped` counts them.
#include <Python.h>

#include "queue.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define YIELDS 100 // a holder that runs is through after the first few

// What was taken out of a shard.
struct batch {
    uint64_t filled;
    PyObject *first[PYRT__SHARD_FIRST];
    struct pyrt__chunk *rest;
};

void pyrt__shard_wait(struct pyrt__shard *shard)
{
    int cancel = 0;
    // poll is a cancellation point; a push is none.
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    for (int looks = 0;; looks++) {
        if (looks < YIELDS) {
            sched_yield();
        } else {
            poll(NULL, 0, 1);
        }
        if (atomic_load_explicit(&shard->lock, memory_order_relaxed) == 0 &&
            atomic_exchange_explicit(&shard->lock, 1, memory_order_acquire) == 0) {
            break;
        }
    }
    pthread_setcancelstate(cancel, NULL);
}

// Relaxed, here and for all totals: they order nothing, and each is only ever read as a number.
static uint64_t total(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static uint64_t queued_total(const struct pyrt__queue *queue)
{
    uint64_t queued = 0;
    for (int i = 0; i < PYRT__SHARDS; i++) {
        queued += total(&queue->shards[i].queued);
    }
    return queued;
}

// How many wait, or a little less: what is put in while this looks is not counted, what is taken out is.
static uint64_t waiting(const struct pyrt__queue *queue)
{
    uint64_t queued = queued_total(queue);
    uint64_t out = total(&queue->drained) + total(&queue->dropped);
    return queued > out ? queued - out : 0;
}

static void raise_peak(struct pyrt__queue *queue)
{
    uint64_t now = waiting(queue);
    uint64_t peak = total(&queue->peak);
    while (now > peak && !atomic_compare_exchange_weak_explicit(&queue->peak, &peak, now, memory_order_relaxed,
                                                                memory_order_relaxed)) {
    }
}

// See to it that there is a place. Requires: lock. 0, or -1 without memory.
static int make_place(struct pyrt__shard *shard)
{
    if (shard->place != shard->end) {
        return 0;
    }
    if (shard->place == NULL) {
        shard->place = shard->first;
        shard->end = shard->first + PYRT__SHARD_FIRST;
        return 0;
    }
    // Plain malloc: the thread may have no thread state, and allocator hooks may want one.
    struct pyrt__chunk *chunk = malloc(sizeof *chunk);
    if (chunk == NULL) {
        return -1;
    }
    chunk->next = NULL;
    chunk->filled = PYRT__CHUNK; // by the time it matters, or else take() says how many
    if (shard->newest != NULL) {
        shard->newest->next = chunk;
    } else {
        shard->oldest = chunk;
    }
    shard->newest = chunk;
    shard->place = chunk->objects;
    shard->end = chunk->objects + PYRT__CHUNK;
    return 0;
}

enum pyrt_status pyrt__queue_push_slowly(struct pyrt__queue *queue, struct pyrt__shard *shard, uint32_t bit,
                                         PyObject *object)
{
    enum pyrt_status status = PYRT_OK;
    uint32_t state = pyrt__queue_state(queue);
    if (state & PYRT__CLOSED) {
        atomic_store_explicit(&shard->queued, total(&shard->queued) + 1, memory_order_relaxed);
        // Release pairs with the acquire in pyrt__queue_totals.
        atomic_fetch_add_explicit(&queue->dropped, 1, memory_order_release);
        status = PYRT_FINALIZING;
    } else if (make_place(shard) != 0) {
        atomic_fetch_add_explicit(&queue->leaked, 1, memory_order_relaxed);
        status = PYRT_NO_MEMORY;
    } else {
        pyrt__shard_put(shard, object);
        if (!(state & bit)) {
            atomic_fetch_or_explicit(&queue->pending, bit, memory_order_relaxed);
        }
    }
    pyrt__shard_unlock(shard);
    return status;
}

static void take(struct pyrt__shard *shard, struct batch *batch)
{
    pyrt__shard_lock(shard);
    batch->filled = PYRT__SHARD_FIRST;
    batch->rest = shard->oldest;
    if (shard->newest != NULL) {
        shard->newest->filled = (uint64_t)(shard->place - shard->newest->objects);
    } else {
        batch->filled = shard->place != NULL ? (uint64_t)(shard->place - shard->first) : 0;
    }
    memcpy(batch->first, shard->first, batch->filled * sizeof *shard->first);
    shard->place = NULL;
    shard->end = NULL;
    shard->oldest = NULL;
    shard->newest = NULL;
    pyrt__shard_unlock(shard);
}

static void drop(struct pyrt__queue *queue, PyObject *const *objects, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        // Release pairs with the acquire in pyrt__queue_totals.
        atomic_fetch_add_explicit(&queue->drained, 1, memory_order_release);
        Py_DECREF(objects[i]);
    }
}

static void drain_shard(struct pyrt__queue *queue, struct pyrt__shard *shard)
{
    struct batch batch;
    take(shard, &batch);
    pyrt_hook_point("pool.taken");
    drop(queue, batch.first, batch.filled);
    while (batch.rest != NULL) {
        struct pyrt__chunk *chunk = batch.rest;
        batch.rest = chunk->next;
        drop(queue, chunk->objects, chunk->filled);
        free(chunk);
    }
}

void pyrt__queue_drain(struct pyrt__queue *queue)
{
    uint32_t bits = 0;
    while ((bits = pyrt__queue_state(queue)) != 0 && !(bits & PYRT__CLOSED)) {
        raise_peak(queue);
        for (; bits != 0; bits &= bits - 1) {
            uint32_t lowest = bits & -bits;
            // One by one, so that others who attach meanwhile find the rest.
            atomic_fetch_and_explicit(&queue->pending, ~lowest, memory_order_relaxed);
            drain_shard(queue, &queue->shards[__builtin_ctz(lowest)]);
        }
    }
}

void pyrt__queue_close(struct pyrt__queue *queue)
{
    raise_peak(queue);
    atomic_fetch_or_explicit(&queue->pending, PYRT__CLOSED, memory_order_relaxed);
    for (int i = 0; i < PYRT__SHARDS; i++) {
        struct batch batch;
        take(&queue->shards[i], &batch);
        uint64_t count = batch.filled;
        while (batch.rest != NULL) {
            struct pyrt__chunk *chunk = batch.rest;
            batch.rest = chunk->next;
            count += chunk->filled;
            free(chunk);
        }
        atomic_fetch_add_explicit(&queue->dropped, count, memory_order_release);
    }
}

void pyrt__queue_totals(const struct pyrt__queue *queue, struct pyrt_pool_stats *stats)
{
    uint64_t now = waiting(queue);
    uint64_t peak = total(&queue->peak);
    peak = now > peak ? now : peak;
    // Taken out before put in, so that a reader never sees more of the former.
    stats->drained += atomic_load_explicit(&queue->drained, memory_order_acquire);
    stats->dropped += atomic_load_explicit(&queue->dropped, memory_order_acquire);
    stats->queued += queued_total(queue);
    stats->leaked += total(&queue->leaked);
    stats->peak = peak > stats->peak ? peak : stats->peak;
}

void pyrt__queue_hold(struct pyrt__queue *queue)
{
    for (int i = 0; i < PYRT__SHARDS; i++) {
        pyrt__shard_lock(&queue->shards[i]);
    }
}

void pyrt__queue_let_go(struct pyrt__queue *queue)
{
    for (int i = 0; i < PYRT__SHARDS; i++) {
        pyrt__shard_unlock(&queue->shards[i]);
    }
}
