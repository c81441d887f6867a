// SPDX-License-Identifier: Apache-2.0
//
// start: one initialization at a time, others wait for its end; and what a fork does to the runtime.
//
// Py_IsInitialized is true before `site` has run (up to 3.14), so that it can't tell the waiting when to go on. What
// they wait for is that pyrt_initialize has detached again.
//
// Locking: `starting` protects `pyrt__starter`; it is never held while Python runs.
#include <Python.h>

#include "start.h"

#include <pthread.h>
#include <stdatomic.h>

#include "pyrt/attach.h"
#include "pyrt/hook.h"
#include "record.h"
#include "thread.h"

static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t started = PTHREAD_COND_INITIALIZER;
_Atomic uint64_t pyrt__starter;
_Atomic int pyrt__stranded;

static int another_starts(const struct pyrt__thread *self)
{
    // Acquire pairs with the release in finish(): who sees the end sees all that the start has done.
    uint64_t id = atomic_load_explicit(&pyrt__starter, memory_order_acquire);
    return id != 0 && id != self->id;
}

int pyrt__start_elsewhere(void)
{
    return another_starts(pyrt__thread_self());
}

void pyrt__start_wait(void)
{
    const struct pyrt__thread *self = pyrt__thread_self();
    if (!another_starts(self) || PyThreadState_GetUnchecked() != NULL) {
        return;
    }
    pthread_mutex_lock(&starting);
    while (another_starts(self)) {
        pthread_cond_wait(&started, &starting);
    }
    pthread_mutex_unlock(&starting);
}

static int start_default(void *unused)
{
    (void)unused;
    Py_InitializeEx(0);
    return 0;
}

static void finish(void)
{
    pthread_mutex_lock(&starting);
    atomic_store_explicit(&pyrt__starter, 0, memory_order_release);
    pthread_cond_broadcast(&started);
    pthread_mutex_unlock(&starting);
}

// Run `start`, meet the new interpreter, leave it.
static enum pyrt_status run(const struct pyrt_init *init)
{
    int (*start)(void *) = init->start != NULL ? init->start : start_default;
    if (start(init->context) != 0 || PyThreadState_GetUnchecked() == NULL) {
        return PYRT_INIT_FAILED;
    }
    pyrt_hook_point("start.initialized");
    struct pyrt_pool *record = NULL;
    enum pyrt_status status = pyrt__record_current(&record);
    PyEval_SaveThread();
    return status;
}

enum pyrt_status pyrt_initialize(const struct pyrt_init *init)
{
    static const struct pyrt_init defaults;
    const struct pyrt__thread *self = pyrt__thread_self();
    init = init != NULL ? init : &defaults;
    if (pyrt__thread_stranded()) {
        return PYRT_FORKED;
    }
    pyrt__start_wait();
    pthread_mutex_lock(&starting);
    while (another_starts(self)) {
        pthread_cond_wait(&started, &starting);
    }
    enum pyrt_status status = PYRT_OK;
    int mine = 0;
    if (atomic_load_explicit(&pyrt__starter, memory_order_relaxed) == self->id) {
        status = PYRT_INVALID;
    } else if (Py_IsInitialized()) {
        status = Py_IsFinalizing() ? PYRT_FINALIZING : PYRT_OK;
    } else if (Py_IsFinalizing() && !init->restart) {
        status = PYRT_FINALIZING;
    } else {
        mine = 1;
        atomic_store_explicit(&pyrt__starter, self->id, memory_order_relaxed);
    }
    pthread_mutex_unlock(&starting);
    if (mine) {
        status = run(init);
        finish();
    }
    return status;
}

int pyrt__thread_stranded(void)
{
    return atomic_load_explicit(&pyrt__stranded, memory_order_relaxed);
}

static void before_fork(void)
{
    pthread_mutex_lock(&starting);
    pyrt__record_before_fork();
}

static void after_fork_parent(void)
{
    pyrt__record_after_fork(0);
    pthread_mutex_unlock(&starting);
}

static void after_fork_child(void)
{
    pyrt__record_after_fork(1);
    if (another_starts(pyrt__thread_self()) || (Py_IsInitialized() && PyThreadState_GetUnchecked() == NULL)) {
        atomic_store_explicit(&pyrt__stranded, 1, memory_order_relaxed);
    }
    atomic_store_explicit(&pyrt__starter, 0, memory_order_relaxed);
    pthread_mutex_unlock(&starting);
}

// Before main, while there is one thread. Only memory for the handlers can be lacking, and then so is all else.
__attribute__((constructor)) static void watch_forks(void)
{
    pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}
