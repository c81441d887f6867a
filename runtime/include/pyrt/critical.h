// SPDX-License-Identifier: Apache-2.0
//
// pyrt/critical: critical sections on one object and on two.
//
// Without the GIL a section holds the lock inside the object, or both locks in a global order. CPython may suspend it:
// whenever the thread detaches, and when it begins another section, all its sections are given up and taken again
// later. What a section protects must therefore be consistent at every call that can detach. With the GIL sections do
// nothing: the GIL is the lock, and it too is given up at every detach.
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
    int live; // 0, or the number of objects given to begin; owner thread only
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

// End a section, the innermost one of this thread.
// Thread state: attached. Blocks: no. May run Python: no. PYRT_OK, NOT_LIVE, NOT_ATTACHED, INVALID.
enum pyrt_status pyrt_critical_end(struct pyrt_critical *section);

// End the process, with the sentence of `status`, unless it is PYRT_OK. For the macros, which cannot return a code.
// Thread state: either. Blocks: no. May run Python: no.
void pyrt_critical_require(enum pyrt_status status);

#define PYRT_CRITICAL_BEGIN(object)                                                                                    \
    do {                                                                                                               \
        struct pyrt_critical pyrt_critical_scope_ = {0};                                                               \
    pyrt_critical_require(pyrt_critical_begin(&pyrt_critical_scope_, (PyObject *)(object)))

#define PYRT_CRITICAL_BEGIN_TWO(first, second)                                                                         \
    do {                                                                                                               \
        struct pyrt_critical pyrt_critical_scope_ = {0};                                                               \
    pyrt_critical_require(pyrt_critical_begin_two(&pyrt_critical_scope_, (PyObject *)(first), (PyObject *)(second)))

#define PYRT_CRITICAL_END()                                                                                            \
    pyrt_critical_require(pyrt_critical_end(&pyrt_critical_scope_));                                                   \
    }                                                                                                                  \
    while (0)

#ifdef __cplusplus
}
#endif

#endif
