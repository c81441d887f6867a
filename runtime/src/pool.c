// SPDX-License-Identifier: Apache-2.0
//
// pool: the queue of deferred decrements.
//
// The queue is one list without a lock. A push puts a node in front by compare-exchange. A drain takes the whole list
// by one exchange and applies it, oldest first. Nodes are never taken one by one, so a node can't leave and come back
// between a push's load and its exchange in a way that matters: the push only writes the head that it found.
//
// Nothing is held while decrements are applied. Destructors are arbitrary Python: they may attach, detach, push, let
// other threads push and drain. A drain inside a drain on the same thread only leaves a mark, and the outer one goes
// round once more; else a chain of destructors would nest as deep as the queue is long.
//
// A thread that finalization parks inside a destructor keeps the rest of the list that it had taken. These references
// are lost with their interpreter, and `queued - drained` counts them.
#include <Python.h>

#include "pyrt/pool.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "pool_drain.h"
#include "pyrt/hook.h"

struct node {
    struct node *next; // owner thread only: the pusher until the exchange, the drainer after it
    PyObject *object;  // owner thread only, likewise
};

static struct node *_Atomic head;  // atomic
static _Atomic uint64_t immediate; // atomic
static _Atomic uint64_t queued;    // atomic
static _Atomic uint64_t drained;   // atomic
static _Atomic uint64_t leaked;    // atomic

// Relaxed: the totals order nothing, and each is only ever read as a number.
static void tally(_Atomic uint64_t *total)
{
    atomic_fetch_add_explicit(total, 1, memory_order_relaxed);
}

static enum pyrt_status push(PyObject *object)
{
    // Plain malloc: the thread may have no thread state, and allocator hooks may want one.
    struct node *node = malloc(sizeof *node);
    if (node == NULL) {
        tally(&leaked);
        return PYRT_NO_MEMORY;
    }
    node->object = object;
    tally(&queued);
    // Relaxed load, because the exchange compares. Release pairs with the acquire in take(): who finds the node in the
    // list finds it filled in, and finds all that this thread did to the object before it dropped it.
    node->next = atomic_load_explicit(&head, memory_order_relaxed);
    pyrt_hook_point("pool.push");
    while (
        !atomic_compare_exchange_weak_explicit(&head, &node->next, node, memory_order_release, memory_order_relaxed)) {
    }
    return PYRT_OK;
}

// The whole queue, oldest first; the queue is empty afterwards.
static struct node *take(void)
{
    // Acquire pairs with the release in push(). A push on top of another's node continues its release sequence.
    struct node *node = atomic_exchange_explicit(&head, NULL, memory_order_acquire);
    struct node *oldest = NULL;
    while (node != NULL) {
        struct node *next = node->next;
        node->next = oldest;
        oldest = node;
        node = next;
    }
    return oldest;
}

void pyrt__pool_drain(struct pyrt__thread *self)
{
    // Relaxed, and may be late, never early: a push that happened before this call is seen, one that runs beside it is
    // left to the next drain.
    if (atomic_load_explicit(&head, memory_order_relaxed) == NULL) {
        return;
    }
    if (self->draining) {
        self->drain_again = 1;
        return;
    }
    self->draining = 1;
    do {
        self->drain_again = 0;
        struct node *node = take();
        pyrt_hook_point("pool.taken");
        while (node != NULL) {
            struct node *next = node->next;
            PyObject *object = node->object;
            free(node);
            tally(&drained);
            Py_DECREF(object);
            node = next;
        }
    } while (self->drain_again);
    self->draining = 0;
}

enum pyrt_status pyrt_pool_decref(PyObject *object)
{
    if (object == NULL) {
        return PYRT_OK;
    }
    if (!pyrt__thread_attached(pyrt__thread_self())) {
        return push(object);
    }
    tally(&immediate);
    Py_DECREF(object);
    return PYRT_OK;
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

void pyrt_pool_stats(struct pyrt_pool_stats *stats)
{
    // Drained before queued, so that a reader never sees more taken out than put in.
    stats->drained = atomic_load_explicit(&drained, memory_order_acquire);
    stats->queued = atomic_load_explicit(&queued, memory_order_relaxed);
    stats->immediate = atomic_load_explicit(&immediate, memory_order_relaxed);
    stats->leaked = atomic_load_explicit(&leaked, memory_order_relaxed);
}
