// SPDX-License-Identifier: Apache-2.0
//
// critical: CPython's critical sections behind a check of the thread state and of the section's own state.
//
// With the GIL the calls below compile to the checks alone. An inconsistent use is then found on either build.
#include <Python.h>

#include "pyrt/critical.h"

#include "thread.h"

#ifdef Py_GIL_DISABLED

static void lock_one(struct pyrt_critical *section, PyObject *object)
{
    PyCriticalSection_Begin(&section->one, object);
}

static void lock_two(struct pyrt_critical *section, PyObject *first, PyObject *second)
{
    PyCriticalSection2_Begin(&section->two, first, second);
}

#if PYRT_CRITICAL_HAS_MUTEX

static void lock_mutex(struct pyrt_critical *section, PyMutex *mutex)
{
    PyCriticalSection_BeginMutex(&section->one, mutex);
}

static void lock_mutexes(struct pyrt_critical *section, PyMutex *first, PyMutex *second)
{
    PyCriticalSection2_BeginMutex(&section->two, first, second);
}

#endif

static void unlock(struct pyrt_critical *section, int live)
{
    if (live == 1) {
        PyCriticalSection_End(&section->one);
    } else {
        PyCriticalSection2_End(&section->two);
    }
}

#else

// The GIL is the lock.
#define lock_one(section, object) (void)(object)
#define lock_two(section, first, second) (void)(first), (void)(second)
#define lock_mutex(section, mutex) (void)(mutex)
#define lock_mutexes(section, first, second) (void)(first), (void)(second)
#define unlock(section, live) (void)(section), (void)(live)

#endif

static enum pyrt_status permitted(const struct pyrt_critical *section, const void *first, const void *second)
{
    if (section == NULL || first == NULL || second == NULL) {
        return PYRT_INVALID;
    }
    if (section->live != 0) {
        return PYRT_ALREADY_LIVE;
    }
    return PyThreadState_GetUnchecked() != NULL ? PYRT_OK : PYRT_NOT_ATTACHED;
}

enum pyrt_status pyrt_critical_begin(struct pyrt_critical *section, PyObject *object)
{
    enum pyrt_status status = permitted(section, object, object);
    if (status == PYRT_OK) {
        section->live = 1;
        lock_one(section, object);
    }
    return status;
}

enum pyrt_status pyrt_critical_begin_two(struct pyrt_critical *section, PyObject *first, PyObject *second)
{
    if (first == second) {
        return pyrt_critical_begin(section, first);
    }
    enum pyrt_status status = permitted(section, first, second);
    if (status == PYRT_OK) {
        section->live = 2;
        lock_two(section, first, second);
    }
    return status;
}

#if PYRT_CRITICAL_HAS_MUTEX

enum pyrt_status pyrt_critical_begin_mutex(struct pyrt_critical *section, PyMutex *mutex)
{
    enum pyrt_status status = permitted(section, mutex, mutex);
    if (status == PYRT_OK) {
        section->live = 1;
        lock_mutex(section, mutex);
    }
    return status;
}

enum pyrt_status pyrt_critical_begin_two_mutexes(struct pyrt_critical *section, PyMutex *first, PyMutex *second)
{
    if (first == second) {
        return pyrt_critical_begin_mutex(section, first);
    }
    enum pyrt_status status = permitted(section, first, second);
    if (status == PYRT_OK) {
        section->live = 2;
        lock_mutexes(section, first, second);
    }
    return status;
}

#else

enum pyrt_status pyrt_critical_begin_mutex(struct pyrt_critical *section, PyMutex *mutex)
{
    enum pyrt_status status = permitted(section, mutex, mutex);
    return status == PYRT_OK ? PYRT_UNSUPPORTED : status;
}

enum pyrt_status pyrt_critical_begin_two_mutexes(struct pyrt_critical *section, PyMutex *first, PyMutex *second)
{
    enum pyrt_status status = permitted(section, first, second);
    return status == PYRT_OK ? PYRT_UNSUPPORTED : status;
}

#endif

enum pyrt_status pyrt_critical_end(struct pyrt_critical *section)
{
    if (section == NULL) {
        return PYRT_INVALID;
    }
    int live = section->live;
    if (live == 0) {
        return PYRT_NOT_LIVE;
    }
    if (PyThreadState_GetUnchecked() == NULL) {
        return PYRT_NOT_ATTACHED;
    }
    section->live = 0;
    unlock(section, live);
    return PYRT_OK;
}

void pyrt_critical_require(enum pyrt_status status)
{
    if (status != PYRT_OK) {
        pyrt__die("critical section", status);
    }
}
