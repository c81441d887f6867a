// SPDX-License-Identifier: Apache-2.0
//
// door: the count of those inside an interpreter, and its end.
//
// A use is taken by compare-exchange on one word that also says "closed", so that nobody gets in after the last look
// at the count. It is what PEP 788 does inside CPython from 3.15 on, and what 3.13 and 3.14 lack. On 3.15 it stands
// before CPython's door: a known thread needs no guard for it, and what comes after it has closed takes one.
//
// Locking: `waiting` orders the last drop before the look of the one who waits. It is innermost.
#include <Python.h>

#include "record.h"

#include <pthread.h>
#include <time.h>

#include "pyrt/hook.h"
#include "slot.h"

#define LOOK_NS 50000000 // between two looks for signals: a person who presses Ctrl-C takes 50 ms for at once

static pthread_mutex_t waiting = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t left = PTHREAD_COND_INITIALIZER;

void pyrt__door_wake(void)
{
    pthread_mutex_lock(&waiting);
    pthread_cond_broadcast(&left);
    pthread_mutex_unlock(&waiting);
}

int pyrt__use_awaited(const struct pyrt_pool *record)
{
    uint64_t uses = atomic_load_explicit(&record->uses, memory_order_relaxed);
    const struct pyrt__thread *self = pyrt__thread_self();
    const PyThreadState *current = PyThreadState_GetUnchecked();
    // A thread that is detached inside an attach has uses, and no pool.
    int inside = (self->uses > 0 && (self->pool == record || self->pool == NULL)) ||
                 (current != NULL && current->interp == record->interp);
    return (uses & PYRT__USES_CLOSING) != 0 && !inside;
}

int pyrt__use_late(const struct pyrt_pool *record)
{
    return pyrt__use_awaited(record) && (uint32_t)atomic_load_explicit(&record->guards, memory_order_relaxed) == 0;
}

enum pyrt_status pyrt__use_take_late(struct pyrt_pool *record)
{
    if (pyrt__use_late(record)) {
        return PYRT_FINALIZING;
    }
    uint64_t uses = atomic_load_explicit(&record->uses, memory_order_relaxed);
    do {
        if (uses & PYRT__USES_CLOSED) {
            return PYRT_FINALIZING;
        }
        // As in pyrt__use_take.
    } while (!atomic_compare_exchange_weak_explicit(&record->uses, &uses, uses + 1, memory_order_acquire,
                                                    memory_order_relaxed));
    return PYRT_OK;
}

enum pyrt_status pyrt__use_close(struct pyrt_pool *record)
{
    uint64_t none = 0;
    if (atomic_compare_exchange_strong_explicit(&record->uses, &none, PYRT__USES_CLOSED, memory_order_acquire,
                                                memory_order_relaxed)) {
        return PYRT_OK;
    }
    return none & (PYRT__USES_CLOSED | PYRT__USES_CLOSING) ? PYRT_FINALIZING : PYRT_BUSY;
}

void pyrt__use_reopen(struct pyrt_pool *record)
{
    atomic_fetch_and_explicit(&record->uses, ~PYRT__USES_CLOSED, memory_order_release);
}

// Wait for a drop, or for the time of the next look. Thread state: detached.
static void wait_for_drop(struct pyrt_pool *record, uint64_t mine)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += LOOK_NS;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&waiting);
    uint64_t before = atomic_fetch_or_explicit(&record->uses, PYRT__USES_AWAITED, memory_order_relaxed);
    pyrt__slots_barrier();
    if ((before & PYRT__USES_COUNT) + pyrt__slots_sum(record) > mine) {
        pthread_cond_timedwait(&left, &waiting, &until);
    }
    pthread_mutex_unlock(&waiting);
}

void pyrt__door_wait(struct pyrt_pool *record)
{
    struct pyrt__thread *self = pyrt__thread_self();
    // What this very thread holds can't be waited for: it is let through.
    uint64_t mine = self->pool == record ? self->uses : 0;
    atomic_fetch_or_explicit(&record->uses, PYRT__USES_CLOSING, memory_order_relaxed);
    pyrt__slots_barrier();
    for (;;) {
        uint64_t uses = atomic_load_explicit(&record->uses, memory_order_relaxed);
        if (uses & PYRT__USES_CLOSED) {
            return;
        }
        // The word first: who comes late comes by it, which the exchange notices.
        if (pyrt__slots_sum(record) + (uses & PYRT__USES_COUNT) <= mine) {
            // Acquire pairs with the release in pyrt__use_drop.
            uint64_t closed = PYRT__USES_CLOSED | PYRT__USES_CLOSING | (uses & PYRT__USES_COUNT);
            if (atomic_compare_exchange_strong_explicit(&record->uses, &uses, closed, memory_order_acquire,
                                                        memory_order_relaxed)) {
                return;
            }
            continue;
        }
        pyrt_hook_point("door.waiting");
        PyThreadState *tstate = PyEval_SaveThread();
        wait_for_drop(record, mine);
        PyEval_RestoreThread(tstate);
        if (PyErr_CheckSignals() != 0) {
            // The user does not want to wait. Those inside keep their uses; nobody new gets in.
            PyErr_WriteUnraisable(NULL);
            atomic_fetch_or_explicit(&record->uses, PYRT__USES_CLOSED, memory_order_relaxed);
            return;
        }
    }
}

static PyObject *on_atexit(PyObject *capsule, PyObject *unused)
{
    (void)unused;
    pyrt__door_wait(PyCapsule_GetPointer(capsule, NULL));
    Py_RETURN_NONE;
}

static void on_capsule(PyObject *capsule)
{
    pyrt__record_unref(PyCapsule_GetPointer(capsule, NULL));
}

static PyMethodDef exit_method = {"pyrt_finalizing", on_atexit, METH_NOARGS, "Wait for native threads to leave."};

enum pyrt_status pyrt__door_arm(struct pyrt_pool *record)
{
    pyrt__slots_begin();
    PyObject *answer = NULL;
    PyObject *function = NULL;
    PyObject *capsule = PyCapsule_New(record, NULL, on_capsule);
    PyObject *module = PyImport_ImportModule("atexit");
    if (capsule != NULL) {
        pyrt__record_ref(record);
        function = PyCFunction_New(&exit_method, capsule);
    }
    if (module != NULL && function != NULL) {
        answer = PyObject_CallMethod(module, "register", "O", function);
    }
    PyErr_Clear();
    enum pyrt_status status = answer != NULL ? PYRT_OK : PYRT_NO_MEMORY;
    Py_XDECREF(answer);
    Py_XDECREF(module);
    Py_XDECREF(function);
    Py_XDECREF(capsule);
    return status;
}
