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

#include <stdlib.h>
#include <string.h>

#include "pyrt/hook.h"

// What was taken out of a shard.
struct batch {
    uint64_t filled;
    PyObject *first[PYRT__SHARD_FIRST];
    struct pyrt__chunk *rest;
};

void pyrt__queue_init(struct pyrt__queue *queue)
{
    for (int i = 0; i < PYRT__SHARDS; i++) {
        pthread_mutex_init(&queue->shards[i].lock, NULL);
    }
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

// A place behind the last one, or NULL. Requires: lock.
static PyObject **place(struct pyrt__shard *shard)
{
    struct pyrt__chunk *chunk = shard->newest;
    if (chunk == NULL && shard->filled < PYRT__SHARD_FIRST) {
        return &shard->first[shard->filled++];
    }
    if (chunk == NULL || chunk->filled == PYRT__CHUNK) {
        // Plain malloc: the thread may have no thread state, and allocator hooks may want one.
        chunk = malloc(sizeof *chunk);
        if (chunk == NULL) {
            return NULL;
        }
        chunk->next = NULL;
        chunk->filled = 0;
        if (shard->newest != NULL) {
            shard->newest->next = chunk;
        } else {
            shard->oldest = chunk;
        }
        shard->newest = chunk;
    }
    return &chunk->objects[chunk->filled++];
}

enum pyrt_status pyrt__queue_push(struct pyrt__queue *queue, uint64_t id, PyObject *object)
{
    uint32_t bit = (uint32_t)1 << id % PYRT__SHARDS;
    struct pyrt__shard *shard = &queue->shards[id % PYRT__SHARDS];
    enum pyrt_status status = PYRT_OK;
    pyrt_hook_point("pool.push");
    pthread_mutex_lock(&shard->lock);
    uint32_t state = pyrt__queue_state(queue);
    PyObject **free_place = state & PYRT__CLOSED ? NULL : place(shard);
    if (free_place != NULL || state & PYRT__CLOSED) {
        atomic_store_explicit(&shard->queued, total(&shard->queued) + 1, memory_order_relaxed);
    }
    if (free_place != NULL) {
        *free_place = object;
        if (!(state & bit)) {
            atomic_fetch_or_explicit(&queue->pending, bit, memory_order_relaxed);
        }
    } else if (state & PYRT__CLOSED) {
        // Release pairs with the acquire in pyrt__queue_totals.
        atomic_fetch_add_explicit(&queue->dropped, 1, memory_order_release);
        status = PYRT_FINALIZING;
    } else {
        atomic_fetch_add_explicit(&queue->leaked, 1, memory_order_relaxed);
        status = PYRT_NO_MEMORY;
    }
    pthread_mutex_unlock(&shard->lock);
    return status;
}

static void take(struct pyrt__shard *shard, struct batch *batch)
{
    pthread_mutex_lock(&shard->lock);
    batch->filled = shard->filled;
    memcpy(batch->first, shard->first, shard->filled * sizeof *shard->first);
    batch->rest = shard->oldest;
    shard->filled = 0;
    shard->oldest = NULL;
    shard->newest = NULL;
    pthread_mutex_unlock(&shard->lock);
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
        pthread_mutex_lock(&queue->shards[i].lock);
    }
}

void pyrt__queue_let_go(struct pyrt__queue *queue)
{
    for (int i = 0; i < PYRT__SHARDS; i++) {
        pthread_mutex_unlock(&queue->shards[i].lock);
    }
}
