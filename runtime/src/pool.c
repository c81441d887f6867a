// SPDX-License-Identifier: Apache-2.0
//
// pool: the queue of deferred decrements.
//
// The queues are in queue.c; here is who drops at once, who queues, and who drains.
//
// Destructors are arbitrary Python: they may attach, detach, push, let other threads push and drain. A drain inside a
// drain on the same thread does nothing, because the outer one goes round until the queue is empty; else a chain of
// destructors would nest as deep as the queue is long.
#include <Python.h>

#include "pyrt/pool.h"

#include <stdatomic.h>
#include <string.h>

#include "pool_drain.h"
#include "pyrt/forbid.h"
#include "record.h"

static _Atomic uint64_t immediate_total; // atomic
static _Atomic int policy;               // atomic; enum pyrt_pool_policy

// The policies that queue nothing.
__attribute__((noinline)) static enum pyrt_status refuse(struct pyrt_pool *pool, int chosen)
{
    if (chosen == PYRT_POOL_ABORT) {
        pyrt__die("pyrt_pool_decref", pyrt_in_traverse() ? PYRT_FORBIDDEN : PYRT_NOT_ATTACHED);
    }
    atomic_fetch_add_explicit(&pool->queue.leaked, 1, memory_order_relaxed);
    return PYRT_OK;
}

static inline enum pyrt_status push(struct pyrt_pool *pool, uint64_t id, PyObject *object)
{
    int chosen = atomic_load_explicit(&policy, memory_order_relaxed);
    return chosen == PYRT_POOL_QUEUE ? pyrt__queue_push(&pool->queue, id, object) : refuse(pool, chosen);
}

void pyrt__pool_drain(struct pyrt__thread *self)
{
    struct pyrt_pool *pool = self->pool;
    if (pyrt__queue_state(&pool->queue) == 0 || self->draining == pool) {
        return;
    }
    // A destructor that activates another interpreter drains that one's pool. Coming back to this one from there is
    // the one way to nest drains of one pool; it is harmless, only deep.
    struct pyrt_pool *outer = self->draining;
    self->draining = pool;
    pyrt__queue_drain(&pool->queue);
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
    return push(pool != NULL ? pool : pyrt__record_main(), self->id, object);
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

void pyrt_pool_stats(struct pyrt_pool_stats *stats)
{
    pyrt__record_totals(stats);
    stats->immediate = atomic_load_explicit(&immediate_total, memory_order_relaxed) + pyrt__thread_self()->immediate;
}

void pyrt_pool_stats_in(const struct pyrt_pool *pool, struct pyrt_pool_stats *stats)
{
    memset(stats, 0, sizeof *stats);
    pyrt__queue_totals(pool != NULL ? &pool->queue : &pyrt__record_main()->queue, stats);
}
