// SPDX-License-Identifier: Apache-2.0
//
// start: one initialization at a time, others wait for its end; and what a fork does to the runtime.
//
// Py_IsInitialized is true before `site` has run (up to 3.14), so that it can't tell the waiting when to go on. What
// they wait for is that pyrt_initialize has detached again.
//
// Locking: `starting` protects `starter`, what was met, and what was left; it is never held while Python runs. It comes
// before registry (record.c).
#include <Python.h>

#include "start.h"

#include <pthread.h>
#include <stdatomic.h>

#include "pyrt/attach.h"
#include "pyrt/hook.h"
#include "pyrt/pool.h"
#include "record.h"
#include "thread.h"

static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t started = PTHREAD_COND_INITIALIZER;
static PyThreadState *left;             // under starting; what the starting thread has detached from
static uint64_t left_by;                // under starting; its id
static const struct pyrt_pool *left_of; // under starting; the interpreter's record
static struct pyrt_pool *met;           // under starting; the latest main record whose door is armed, or NULL
static _Atomic uint64_t starter;        // atomic; written under starting: id of the thread that initializes, or 0
static _Atomic int stranded;            // atomic; see pyrt__thread_stranded
struct pyrt_pool *_Atomic pyrt__start_quiet;

// After every change of what it depends on. Requires: starting.
static void publish(void)
{
    int quiet = atomic_load_explicit(&starter, memory_order_relaxed) == 0 && !pyrt__thread_stranded();
    // Release pairs with the acquire in enter_known of attach.c: who sees the record sees it filled in, and all that a
    // start has done.
    atomic_store_explicit(&pyrt__start_quiet, quiet ? met : NULL, memory_order_release);
}

void pyrt__start_met(struct pyrt_pool *record)
{
    pthread_mutex_lock(&starting);
    met = record;
    publish();
    pthread_mutex_unlock(&starting);
}

static int another_starts(const struct pyrt__thread *self)
{
    // Acquire pairs with the release in finish(): who sees the end sees all that the start has done.
    uint64_t id = atomic_load_explicit(&starter, memory_order_acquire);
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
    atomic_store_explicit(&starter, 0, memory_order_release);
    publish();
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
    PyThreadState *tstate = PyEval_SaveThread();
    pthread_mutex_lock(&starting);
    left = tstate;
    left_by = pyrt__thread_self()->id;
    left_of = record;
    pthread_mutex_unlock(&starting);
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
    if (atomic_load_explicit(&starter, memory_order_relaxed) == self->id) {
        status = PYRT_INVALID;
    } else if (Py_IsInitialized()) {
        status = Py_IsFinalizing() ? PYRT_FINALIZING : PYRT_OK;
    } else if (Py_IsFinalizing() && !init->restart) {
        status = PYRT_FINALIZING;
    } else {
        mine = 1;
        atomic_store_explicit(&starter, self->id, memory_order_relaxed);
        publish();
    }
    pthread_mutex_unlock(&starting);
    if (mine) {
        status = run(init);
        finish();
    }
    return status;
}

// Take what the start has left, for good. The thread is not attached yet.
static enum pyrt_status take_left(const struct pyrt__thread *self, PyThreadState **tstate)
{
    enum pyrt_status status = PYRT_OK;
    pthread_mutex_lock(&starting);
    if (left == NULL || left_of == NULL || pyrt__record_gone(left_of)) {
        status = Py_IsFinalizing() ? PYRT_FINALIZING : PYRT_NOT_INITIALIZED;
    } else if (left_by != self->id) {
        status = PYRT_WRONG_THREAD;
    } else {
        *tstate = left;
        left = NULL;
    }
    pthread_mutex_unlock(&starting);
    return status;
}

enum pyrt_status pyrt_finalize(uint64_t *dropped)
{
    const struct pyrt__thread *self = pyrt__thread_self();
    PyThreadState *tstate = PyThreadState_GetUnchecked();
    struct pyrt_attach attach = {0};
    struct pyrt_pool_stats stats = {0};
    if (pyrt__thread_stranded()) {
        return PYRT_FORKED;
    }
    if (self->innermost != 0) {
        return self->forbidden > 0 ? PYRT_FORBIDDEN : PYRT_OUT_OF_ORDER;
    }
    if (tstate != NULL && PyThreadState_GetInterpreter(tstate) != PyInterpreterState_Main()) {
        return PYRT_MISMATCH;
    }
    if (tstate == NULL) {
        enum pyrt_status status = take_left(self, &tstate);
        if (status != PYRT_OK) {
            return status;
        }
        pyrt_hook_point("finalize.resuming");
        PyEval_RestoreThread(tstate);
    }
    // An attach drains; and now there is a record.
    if (pyrt_attach_assume(&attach) == PYRT_OK) {
        pyrt_attach_release(&attach);
    }
    const struct pyrt_pool *record = pyrt__record_main();
    int flushed = Py_FinalizeEx();
    pyrt_pool_stats_in(record, &stats);
    if (dropped != NULL) {
        *dropped = stats.dropped;
    }
    return flushed == 0 ? PYRT_OK : PYRT_NOT_FLUSHED;
}

int pyrt__thread_stranded(void)
{
    return atomic_load_explicit(&stranded, memory_order_relaxed);
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
        atomic_store_explicit(&stranded, 1, memory_order_relaxed);
    }
    atomic_store_explicit(&starter, 0, memory_order_relaxed);
    publish();
    pthread_mutex_unlock(&starting);
}

// Before main, while there is one thread. Only memory for the handlers can be lacking, and then so is all else.
__attribute__((constructor)) static void watch_forks(void)
{
    pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}
