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

static void unlock(struct pyrt_critical *section)
{
    if (section->live == 1) {
        PyCriticalSection_End(&section->one);
    } else {
        PyCriticalSection2_End(&section->two);
    }
}

#else

static void lock_one(struct pyrt_critical *section, PyObject *object)
{
    (void)section;
    (void)object;
}

static void lock_two(struct pyrt_critical *section, PyObject *first, PyObject *second)
{
    (void)section;
    (void)first;
    (void)second;
}

static void unlock(struct pyrt_critical *section)
{
    (void)section;
}

#endif

enum pyrt_status pyrt_critical_begin(struct pyrt_critical *section, PyObject *object)
{
    if (section == NULL || object == NULL) {
        return PYRT_INVALID;
    }
    if (section->live != 0) {
        return PYRT_ALREADY_LIVE;
    }
    if (PyThreadState_GetUnchecked() == NULL) {
        return PYRT_NOT_ATTACHED;
    }
    lock_one(section, object);
    section->live = 1;
    return PYRT_OK;
}

enum pyrt_status pyrt_critical_begin_two(struct pyrt_critical *section, PyObject *first, PyObject *second)
{
    if (first == second) {
        return pyrt_critical_begin(section, first);
    }
    if (section == NULL || first == NULL || second == NULL) {
        return PYRT_INVALID;
    }
    if (section->live != 0) {
        return PYRT_ALREADY_LIVE;
    }
    if (PyThreadState_GetUnchecked() == NULL) {
        return PYRT_NOT_ATTACHED;
    }
    lock_two(section, first, second);
    section->live = 2;
    return PYRT_OK;
}

enum pyrt_status pyrt_critical_end(struct pyrt_critical *section)
{
    if (section == NULL) {
        return PYRT_INVALID;
    }
    if (section->live == 0) {
        return PYRT_NOT_LIVE;
    }
    if (PyThreadState_GetUnchecked() == NULL) {
        return PYRT_NOT_ATTACHED;
    }
    unlock(section);
    section->live = 0;
    return PYRT_OK;
}

void pyrt_critical_require(enum pyrt_status status)
{
    if (status != PYRT_OK) {
        pyrt__die("critical section", status);
    }
}
