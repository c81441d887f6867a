// SPDX-License-Identifier: Apache-2.0
//
// record: the list of interpreters that the runtime has met, and how it learns that one of them is gone.
//
// CPython calls on_clear while it clears the interpreter (PyUnstable_AtExit, 3.13 and later; despite its name it runs
// long after atexit). A record that is made later than that would never be closed; so none is made any more once the
// runtime is finalizing, and an interpreter's number is compared besides its address.
#include <Python.h>

#include "record.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "pyrt/hook.h"
#include "slot.h"
#include "start.h"

struct pyrt_pool pyrt__nowhere = {.main = 1};

static struct pyrt_pool first = {.main = 1};
struct pyrt_pool *_Atomic pyrt__main_record = &first;
static struct pyrt_pool_stats retired;     // under registry; totals of the freed records
static struct pyrt_pool *records = &first; // under registry
static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;

void pyrt__record_ref(struct pyrt_pool *record)
{
    if (!record->main) {
        // Relaxed: the caller holds a reference already, or the registry's lock.
        atomic_fetch_add_explicit(&record->references, 1, memory_order_relaxed);
    }
}

static void retire(struct pyrt_pool *record)
{
    pyrt__queue_totals(&record->queue, &retired);
    for (struct pyrt_pool **link = &records; *link != NULL; link = &(*link)->next) {
        if (*link == record) {
            *link = record->next;
            break;
        }
    }
}

void pyrt__record_unref(struct pyrt_pool *record)
{
    // Release and acquire: all that others did with the record comes before its end.
    if (record->main || atomic_fetch_sub_explicit(&record->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    pthread_mutex_lock(&registry);
    retire(record);
    pthread_mutex_unlock(&registry);
    pyrt__backend_view_close(record->view);
    free(record);
}

void pyrt__record_totals(struct pyrt_pool_stats *stats)
{
    pthread_mutex_lock(&registry);
    *stats = retired;
    for (const struct pyrt_pool *record = records; record != NULL; record = record->next) {
        pyrt__queue_totals(&record->queue, stats);
    }
    pthread_mutex_unlock(&registry);
}

enum pyrt_status pyrt__use_close_unkept(struct pyrt_pool *record)
{
    pthread_mutex_lock(&registry);
    enum pyrt_status status = pyrt__use_close(record);
    if (status == PYRT_OK && atomic_load_explicit(&record->kept, memory_order_relaxed) > 0) {
        pyrt__use_reopen(record);
        status = PYRT_BUSY;
    }
    pthread_mutex_unlock(&registry);
    return status;
}

enum pyrt_status pyrt__use_take_surely(struct pyrt_pool *record)
{
    enum pyrt_status status = pyrt__use_take(record);
    if (status != PYRT_OK) {
        // Under the lock nobody is between closing and looking.
        pthread_mutex_lock(&registry);
        status = pyrt__use_take(record);
        pthread_mutex_unlock(&registry);
    }
    return status;
}

static void close_queue(struct pyrt_pool *record)
{
    atomic_fetch_or_explicit(&record->uses, PYRT__USES_CLOSED, memory_order_relaxed);
    pyrt__queue_close(&record->queue);
}

// CPython clears the interpreter, with the finalizing thread attached to it.
static void on_clear(void *record)
{
    pyrt_hook_point("record.closing");
    close_queue(record);
    pyrt__record_unref(record);
}

// The open record of an interpreter, or NULL. Requires: registry.
static struct pyrt_pool *find(const PyInterpreterState *interp, int64_t id)
{
    for (struct pyrt_pool *record = records; record != NULL; record = record->next) {
        if (record->bound && record->interp == interp && record->id == id && !pyrt__record_gone(record)) {
            return record;
        }
    }
    return NULL;
}

// A bound record, in the list. One reference is the interpreter's. Requires: registry.
static struct pyrt_pool *make(PyInterpreterState *interp, int64_t id, void *view)
{
    int is_main = interp == PyInterpreterState_Main();
    struct pyrt_pool *record = &first;
    if (!is_main || first.bound) {
        record = aligned_alloc(_Alignof(struct pyrt_pool), sizeof *record);
        if (record == NULL) {
            return NULL;
        }
        memset(record, 0, sizeof *record);
        record->next = records;
        records = record;
    }
    record->interp = interp;
    record->id = id;
    record->view = view;
    record->main = is_main;
    record->references = 1;
    // The first record has been visible from the start: release pairs with the load of whoever reads its other fields.
    atomic_store_explicit(&record->bound, 1, memory_order_release);
    if (is_main) {
        // Release pairs with the acquire in pyrt__record_main.
        atomic_store_explicit(&pyrt__main_record, record, memory_order_release);
    }
    return record;
}

static enum pyrt_status find_or_make(PyInterpreterState *interp, struct pyrt_pool **record)
{
    int64_t id = PyInterpreterState_GetID(interp);
    void *view = NULL;
    if (pyrt__backend_view_new(&view) != 0) {
        return PYRT_NO_MEMORY;
    }
    pthread_mutex_lock(&registry);
    *record = find(interp, id);
    int made = *record == NULL;
    if (made) {
        *record = make(interp, id, view);
    }
    pthread_mutex_unlock(&registry);
    if (!made || *record == NULL) {
        pyrt__backend_view_close(view);
        return *record == NULL ? PYRT_NO_MEMORY : PYRT_OK;
    }
    if (PyUnstable_AtExit(interp, on_clear, *record) != 0) {
        PyErr_Clear();
        close_queue(*record);
        pyrt__record_unref(*record);
        return PYRT_NO_MEMORY;
    }
    enum pyrt_status status = pyrt__door_arm(*record);
    if (status == PYRT_OK && (*record)->main) {
        pyrt__start_met(*record);
    }
    return status;
}

enum pyrt_status pyrt__record_current(struct pyrt_pool **record)
{
    PyInterpreterState *interp = PyThreadState_GetInterpreter(PyThreadState_Get());
    struct pyrt_pool *latest = pyrt__record_main();
    if (latest->bound && latest->interp == interp && !pyrt__record_gone(latest)) {
        *record = latest;
        return PYRT_OK;
    }
    if (interp == PyInterpreterState_Main() && Py_IsFinalizing()) {
        *record = &pyrt__nowhere;
        return PYRT_OK;
    }
    // The caller may come from a destructor, with an exception in flight.
    PyObject *exception = PyErr_GetRaisedException();
    enum pyrt_status status = find_or_make(interp, record);
    PyErr_SetRaisedException(exception);
    return status;
}

void pyrt__record_before_fork(void)
{
    pthread_mutex_lock(&registry);
    for (struct pyrt_pool *record = records; record != NULL; record = record->next) {
        pyrt__queue_hold(&record->queue);
    }
}

void pyrt__record_after_fork(int child)
{
    // The uses of threads that are not here any more would make finalization wait for ever.
    struct pyrt__thread *self = pyrt__thread_self();
    if (child) {
        pyrt__slots_after_fork(self);
    }
    for (struct pyrt_pool *record = records; record != NULL; record = record->next) {
        pyrt__queue_let_go(&record->queue);
        if (child) {
            uint64_t mine = self->pool == record ? self->uses : 0;
            // Other threads that were about to begin an ensure will not give their guards back.
            uint64_t passing = self->beginning == record ? PYRT__GUARD_PASSING : 0;
            record->guards = (uint32_t)record->guards - (record->guards >> 32) + passing;
            uint64_t guards = PY_VERSION_HEX < 0x030F0000 || !record->main ? (uint32_t)record->guards : 0;
            record->uses = (record->uses & (PYRT__USES_CLOSED | PYRT__USES_CLOSING)) | (mine + guards);
        }
    }
    pthread_mutex_unlock(&registry);
}
