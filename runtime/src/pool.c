// SPDX-License-Identifier: Apache-2.0
//
// pool: the queue of deferred decrements.
//
// The queue is one list without a lock. A push puts a node in front by compare-exchange. A drain takes the whole list
// by one compare-exchange and applies it, oldest first. Nodes are never taken one by one, so a node can't leave and
// come back between a push's load and its exchange in a way that matters: the push only writes the head that it found.
//
// Nothing is held while decrements are applied. Destructors are arbitrary Python: they may attach, detach, push, let
// other threads push and drain. A drain inside a drain on the same thread does nothing, because the outer one goes
// round until the queue is empty; else a chain of destructors would nest as deep as the queue is long.
//
// A thread that finalization parks inside a destructor keeps the rest of the list that it had taken. These references
// are lost with their interpreter, and `queued - drained - dropped` counts them.
#include <Python.h>

#include "pyrt/pool.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "pool_drain.h"
#include "pyrt/forbid.h"
#include "pyrt/hook.h"
#include "record.h"

static _Atomic uint64_t immediate_total; // atomic
static _Atomic int policy;               // atomic; enum pyrt_pool_policy

// Relaxed, here and for all totals: they order nothing, and each is only ever read as a number.
static uint64_t tally(_Atomic uint64_t *total)
{
    return atomic_fetch_add_explicit(total, 1, memory_order_relaxed) + 1;
}

static uint64_t total(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void raise_peak(struct pyrt_pool *pool, uint64_t queued)
{
    uint64_t waiting = queued - total(&pool->drained) - total(&pool->dropped);
    uint64_t peak = total(&pool->peak);
    // Others may have taken out meanwhile what this thread counted in later: then the difference is below zero.
    while (waiting > peak && waiting <= queued &&
           !atomic_compare_exchange_weak_explicit(&pool->peak, &peak, waiting, memory_order_relaxed,
                                                  memory_order_relaxed)) {
    }
}

static enum pyrt_status push(struct pyrt_pool *pool, PyObject *object)
{
    int chosen = atomic_load_explicit(&policy, memory_order_relaxed);
    if (chosen == PYRT_POOL_ABORT) {
        pyrt__die("pyrt_pool_decref", pyrt_in_traverse() ? PYRT_FORBIDDEN : PYRT_NOT_ATTACHED);
    }
    if (chosen == PYRT_POOL_LEAK) {
        tally(&pool->leaked);
        return PYRT_OK;
    }
    // Plain malloc: the thread may have no thread state, and allocator hooks may want one.
    struct pyrt__node *node = malloc(sizeof *node);
    if (node == NULL) {
        tally(&pool->leaked);
        return PYRT_NO_MEMORY;
    }
    node->object = object;
    // Counted before it can be seen, so that no reader finds more taken out than put in.
    uint64_t queued = tally(&pool->queued);
    struct pyrt__node *head = atomic_load_explicit(&pool->head, memory_order_relaxed);
    pyrt_hook_point("pool.push");
    do {
        if (head == &pyrt__closed) {
            tally(&pool->dropped);
            free(node);
            return PYRT_FINALIZING;
        }
        node->next = head;
        // Relaxed when it fails, because the exchange compares again. Release pairs with the acquire in take(): who
        // finds the node in the list finds it filled in, and finds all that this thread did to the object before.
    } while (
        !atomic_compare_exchange_weak_explicit(&pool->head, &head, node, memory_order_release, memory_order_relaxed));
    raise_peak(pool, queued);
    return PYRT_OK;
}

// The whole queue, oldest first; the queue is empty afterwards, or stays closed.
static struct pyrt__node *take(struct pyrt_pool *pool)
{
    struct pyrt__node *node = atomic_load_explicit(&pool->head, memory_order_relaxed);
    do {
        if (node == NULL || node == &pyrt__closed) {
            return NULL;
        }
        // Acquire pairs with the release in push(). A push on top of another's node continues its release sequence.
    } while (
        !atomic_compare_exchange_weak_explicit(&pool->head, &node, NULL, memory_order_acquire, memory_order_relaxed));
    struct pyrt__node *oldest = NULL;
    while (node != NULL) {
        struct pyrt__node *next = node->next;
        node->next = oldest;
        oldest = node;
        node = next;
    }
    return oldest;
}

void pyrt__pool_drain(struct pyrt__thread *self)
{
    struct pyrt_pool *pool = self->pool;
    // Relaxed, and may be late, never early: a push that happened before this call is seen, one that runs beside it is
    // left to the next drain.
    struct pyrt__node *node = atomic_load_explicit(&pool->head, memory_order_relaxed);
    if (node == NULL || node == &pyrt__closed || self->draining == pool) {
        return;
    }
    // A destructor that activates another interpreter drains that one's pool. Coming back to this one from there is
    // the one way to nest drains of one pool; it is harmless, only deep.
    struct pyrt_pool *outer = self->draining;
    self->draining = pool;
    while ((node = take(pool)) != NULL) {
        pyrt_hook_point("pool.taken");
        while (node != NULL) {
            struct pyrt__node *next = node->next;
            PyObject *object = node->object;
            free(node);
            tally(&pool->drained);
            Py_DECREF(object);
            node = next;
        }
    }
    self->draining = outer;
}

void pyrt__pool_flush(struct pyrt__thread *self)
{
    if (self->immediate > 0) {
        atomic_fetch_add_explicit(&immediate_total, self->immediate, memory_order_relaxed);
        self->immediate = 0;
    }
}

enum pyrt_status pyrt_pool_decref_in(struct pyrt_pool *pool, PyObject *object)
{
    if (object == NULL) {
        return PYRT_OK;
    }
    struct pyrt__thread *self = pyrt__thread_self();
    if (pyrt__thread_attached(self) && (self->pool == pool || (pool == NULL && self->pool->main))) {
        self->immediate++;
        Py_DECREF(object);
        return PYRT_OK;
    }
    return push(pool != NULL ? pool : pyrt__record_main(), object);
}

enum pyrt_status pyrt_pool_decref(PyObject *object)
{
    return pyrt_pool_decref_in(NULL, object);
}

enum pyrt_status pyrt_pool_drain(void)
{
    struct pyrt__thread *self = pyrt__thread_self();
    if (self->forbidden > 0) {
        return PYRT_FORBIDDEN;
    }
    if (!pyrt__thread_attached(self)) {
        return PYRT_NOT_ATTACHED;
    }
    pyrt__pool_drain(self);
    return PYRT_OK;
}

struct pyrt_pool *pyrt_pool_open(void)
{
    struct pyrt__thread *self = pyrt__thread_self();
    if (!pyrt__thread_attached(self)) {
        return NULL;
    }
    pyrt__record_ref(self->pool);
    return self->pool;
}

void pyrt_pool_close(struct pyrt_pool *pool)
{
    if (pool != NULL) {
        pyrt__record_unref(pool);
    }
}

void pyrt_pool_set_policy(enum pyrt_pool_policy chosen)
{
    atomic_store_explicit(&policy, (int)chosen, memory_order_relaxed);
}

static void add(const struct pyrt_pool *pool, void *memory)
{
    struct pyrt_pool_stats *stats = memory;
    // Taken out before put in, so that a reader never sees more of the former.
    stats->drained += atomic_load_explicit(&pool->drained, memory_order_acquire);
    stats->dropped += atomic_load_explicit(&pool->dropped, memory_order_acquire);
    stats->queued += total(&pool->queued);
    stats->leaked += total(&pool->leaked);
    stats->peak = total(&pool->peak) > stats->peak ? total(&pool->peak) : stats->peak;
}

void pyrt_pool_stats(struct pyrt_pool_stats *stats)
{
    memset(stats, 0, sizeof *stats);
    pyrt__record_visit(add, stats);
    stats->immediate = total(&immediate_total) + pyrt__thread_self()->immediate;
}

void pyrt_pool_stats_in(const struct pyrt_pool *pool, struct pyrt_pool_stats *stats)
{
    memset(stats, 0, sizeof *stats);
    add(pool != NULL ? pool : pyrt__record_main(), stats);
}
