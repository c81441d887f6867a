// SPDX-License-Identifier: Apache-2.0
//
// pyrt/critical: critical sections on one object or mutex, and on two.
//
// Without the GIL a section holds the lock inside the object, or both locks in a global order. CPython may suspend it:
// whenever the thread detaches, and when it begins another section, all its sections are given up and taken again
// later. What a section protects must therefore be consistent at every call that can detach. With the GIL sections do
// nothing: the GIL is the lock, and it too is given up at every detach.
//
// Sections on mutexes exist from 3.14 on. On 3.13 without the GIL they answer PYRT_UNSUPPORTED, and the macros end the
// process: holding the mutex instead would not be the same, because nothing would give it up at a detach. Code for 3.13
// uses a section on an object that it makes for the purpose.
//
// Beginning a section on what an outer section of the thread holds already is no deadlock, but versions before
// gh-114203 (one object, 3.14) and gh-150902 (two, 3.14.7) suspend the outer one meanwhile.
//
//     PYRT_CRITICAL_BEGIN_TWO(from, to);
//     from->balance -= amount;
//     to->balance += amount;
//     PYRT_CRITICAL_END();
//
// The macros open and close a block, so that they also work as the body of an unbraced `if`. Do not leave the block by
// `return`, `break`, `continue` or `goto`: the section would stay open.
#ifndef PYRT_CRITICAL_H
#define PYRT_CRITICAL_H

#include <Python.h>

#include "pyrt/status.h"

#ifdef __cplusplus
extern "C" {
#endif

// One section. Zero it, then leave its fields alone; it must not move while it is live.
struct pyrt_critical {
    int live; // 0, or the number of locks that it takes; owner thread only
#ifdef Py_GIL_DISABLED
    PyCriticalSection one;  // used for one object; owner thread only
    PyCriticalSection2 two; // used for two; owner thread only
#endif
};

// Begin a section on one object. Borrowed; the caller keeps it alive until the end.
// Requires: `section` zeroed, or ended.
// Thread state: attached, in whatever way. Blocks: yes, detached. May run Python: no.
// PYRT_OK, NOT_ATTACHED, ALREADY_LIVE, INVALID.
enum pyrt_status pyrt_critical_begin(struct pyrt_critical *section, PyObject *object);

// Begin a section on two objects, in any order; the same object twice is a section on one. Both borrowed.
// Requires: `section` zeroed, or ended.
// Thread state: attached, in whatever way. Blocks: yes, detached. May run Python: no.
// PYRT_OK, NOT_ATTACHED, ALREADY_LIVE, INVALID.
enum pyrt_status pyrt_critical_begin_two(struct pyrt_critical *section, PyObject *first, PyObject *second);

// The same on mutexes; borrowed. PYRT_CRITICAL_HAS_MUTEX tells whether this version has them.
// Requires: `section` zeroed, or ended; the mutexes are locked in no other way by this thread.
// Thread state: attached, in whatever way. Blocks: yes, detached. May run Python: no.
// PYRT_OK, NOT_ATTACHED, ALREADY_LIVE, INVALID, UNSUPPORTED.
enum pyrt_status pyrt_critical_begin_mutex(struct pyrt_critical *section, PyMutex *mutex);
enum pyrt_status pyrt_critical_begin_two_mutexes(struct pyrt_critical *section, PyMutex *first, PyMutex *second);

#if PY_VERSION_HEX >= 0x030E0000 || !defined(Py_GIL_DISABLED)
#define PYRT_CRITICAL_HAS_MUTEX 1
#else
#define PYRT_CRITICAL_HAS_MUTEX 0
#endif

// End a section, the innermost one of this thread.
// Thread state: attached. Blocks: no. May run Python: no. PYRT_OK, NOT_LIVE, NOT_ATTACHED, INVALID.
enum pyrt_status pyrt_critical_end(struct pyrt_critical *section);

// End the process, with the sentence of `status`, unless it is PYRT_OK. For the macros, which cannot return a code.
// Thread state: either. Blocks: no. May run Python: no.
void pyrt_critical_require(enum pyrt_status status);

#define PYRT_CRITICAL_BEGIN(object)                                                                                    \
    do {                                                                                                               \
        struct pyrt_critical pyrt_critical_scope_;                                                                     \
        pyrt_critical_scope_.live = 0;                                                                                 \
    pyrt_critical_require(pyrt_critical_begin(&pyrt_critical_scope_, (PyObject *)(object)))

#define PYRT_CRITICAL_BEGIN_TWO(first, second)                                                                         \
    do {                                                                                                               \
        struct pyrt_critical pyrt_critical_scope_;                                                                     \
        pyrt_critical_scope_.live = 0;                                                                                 \
    pyrt_critical_require(pyrt_critical_begin_two(&pyrt_critical_scope_, (PyObject *)(first), (PyObject *)(second)))

#define PYRT_CRITICAL_BEGIN_MUTEX(mutex)                                                                               \
    do {                                                                                                               \
        struct pyrt_critical pyrt_critical_scope_;                                                                     \
        pyrt_critical_scope_.live = 0;                                                                                 \
    pyrt_critical_require(pyrt_critical_begin_mutex(&pyrt_critical_scope_, (mutex)))

#define PYRT_CRITICAL_BEGIN_TWO_MUTEXES(first, second)                                                                 \
    do {                                                                                                               \
        struct pyrt_critical pyrt_critical_scope_;                                                                     \
        pyrt_critical_scope_.live = 0;                                                                                 \
    pyrt_critical_require(pyrt_critical_begin_two_mutexes(&pyrt_critical_scope_, (first), (second)))

#define PYRT_CRITICAL_END()                                                                                            \
    pyrt_critical_require(pyrt_critical_end(&pyrt_critical_scope_));                                                   \
    }                                                                                                                  \
    while (0)

#ifdef __cplusplus
}
#endif

#endif
