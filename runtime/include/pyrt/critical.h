// SPDX-License-Identifier: Apache-2.0
//
// pyrt/critical: critical sections on one object or mutex, and on two.
//
// Without the GIL a section holds the lock inside the object, or both locks in a global order. CPython may suspend it:
// whenever the thread detaches, and when it begins another section, all its sections are given up and taken again
// later. What a section protects must therefore be consistent at every call that can detach. With the GIL sections do
// nothing: the GIL is the lock, and it too is given up at every detach. There, only CPython's debug builds ask whether
// the thread is attached (PYRT_CRITICAL_CHECKED), so that a section costs nothing elsewhere.
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

// 1 if a section on a thread that is not attached answers PYRT_NOT_ATTACHED; 0 if it does nothing, as all sections do.
#if defined(Py_GIL_DISABLED) || defined(Py_DEBUG)
#define PYRT_CRITICAL_CHECKED 1
#else
#define PYRT_CRITICAL_CHECKED 0
#endif

// One section. Zero it, then leave its fields alone; it must not move while it is live.
struct pyrt_critical {
    int live; // 0, or the number of locks that it takes; owner thread only
#if PYRT_CRITICAL_CHECKED
    PyThreadState *tstate; // that has begun it; owner thread only
#endif
#ifdef Py_GIL_DISABLED
    PyCriticalSection2 two; // CPython's; of a section with one lock only the base is used; owner thread only
#endif
};

// Begin a section on one object. Borrowed; the caller keeps it alive until the end.
// Requires: `section` zeroed, or ended.
// Thread state: attached, in whatever way. Blocks: yes, detached. May run Python: no.
// Pointers: `section` stays the caller's; `object` is borrowed, and kept alive by the caller until the end.
// Returns: PYRT_OK, NOT_ATTACHED, ALREADY_LIVE, INVALID.
// Source: `PyCriticalSection_Begin`; pybind11 `scoped_critical_section`.
static inline enum pyrt_status pyrt_critical_begin(struct pyrt_critical *section, PyObject *object);

// Begin a section on two objects, in any order; the same object twice is a section on one. Both borrowed.
// Requires: `section` zeroed, or ended.
// Thread state: attached, in whatever way. Blocks: yes, detached. May run Python: no.
// Pointers: `section` stays the caller's; `first` and `second` are borrowed, and kept alive until the end.
// Returns: PYRT_OK, NOT_ATTACHED, ALREADY_LIVE, INVALID.
// Source: `PyCriticalSection2_Begin`; pybind11 `scoped_critical_section`.
static inline enum pyrt_status pyrt_critical_begin_two(struct pyrt_critical *section, PyObject *first,
                                                       PyObject *second);

// The same on mutexes. PYRT_CRITICAL_HAS_MUTEX tells whether this version has them.
// Requires: `section` zeroed, or ended; the mutexes are locked in no other way by this thread.
// Thread state: attached, in whatever way. Blocks: yes, detached. May run Python: no.
// Pointers: `section` stays the caller's; `mutex`, `first` and `second` are borrowed until the end.
// Returns: PYRT_OK, NOT_ATTACHED, ALREADY_LIVE, INVALID, UNSUPPORTED.
// Source: `PyCriticalSection_BeginMutex`, `PyCriticalSection2_BeginMutex` (gh-133296).
static inline enum pyrt_status pyrt_critical_begin_mutex(struct pyrt_critical *section, PyMutex *mutex);
static inline enum pyrt_status pyrt_critical_begin_two_mutexes(struct pyrt_critical *section, PyMutex *first,
                                                               PyMutex *second);

// 1 if this version has sections on mutexes, 0 if those answer PYRT_UNSUPPORTED.
#if PY_VERSION_HEX >= 0x030E0000 || !defined(Py_GIL_DISABLED)
#define PYRT_CRITICAL_HAS_MUTEX 1
#else
#define PYRT_CRITICAL_HAS_MUTEX 0
#endif

// End a section, the innermost one of this thread.
// Thread state: attached. Blocks: no. May run Python: no.
// Pointers: `section` stays the caller's.
// Returns: PYRT_OK, NOT_LIVE, NOT_ATTACHED, WRONG_THREAD, INVALID; OUT_OF_ORDER: not the innermost (without the GIL).
// Source: `PyCriticalSection_End`, `PyCriticalSection2_End`.
static inline enum pyrt_status pyrt_critical_end(struct pyrt_critical *section);

// End the process, with the sentence of `status`, unless it is PYRT_OK. For the macros, which cannot return a code.
// Thread state: either. Blocks: no. May run Python: no.
// Returns: nothing, and only for PYRT_OK.
// Source: own.
static inline void pyrt_critical_require(enum pyrt_status status);

// Begin a section, and a block that PYRT_CRITICAL_END closes. A section that is refused ends the process.
// Thread state: attached, in whatever way. Blocks: yes, detached. May run Python: no.
// Pointers: `object`, `mutex`, `first` and `second` are borrowed, and kept alive by the caller until the end.
// Returns: nothing, and only when the section has begun.
// Source: `Py_BEGIN_CRITICAL_SECTION`, `Py_BEGIN_CRITICAL_SECTION2`.
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

// End the section that the nearest PYRT_CRITICAL_BEGIN of the same block has begun.
// Thread state: attached. Blocks: no. May run Python: no.
// Returns: nothing, and only when the section has ended.
// Source: `Py_END_CRITICAL_SECTION`, `Py_END_CRITICAL_SECTION2`.
#define PYRT_CRITICAL_END()                                                                                            \
    pyrt_critical_require(pyrt_critical_end(&pyrt_critical_scope_));                                                   \
    }                                                                                                                  \
    while (0)

#include "pyrt/detail/critical.h"

#ifdef __cplusplus
}
#endif

#endif
