// SPDX-License-Identifier: Apache-2.0
//
// pyrt/detail/critical: the sections of pyrt/critical.h, inline: a call around a call would cost a tenth of a section.
//
// Nothing in here is for users. Each form checks, then does what CPython does; what is wrong is found out by a function
// of the library, which a right use never calls.
#ifndef PYRT_DETAIL_CRITICAL_H
#define PYRT_DETAIL_CRITICAL_H

// What is wrong with the beginning, and with the end, of a section. If nothing is, this version lacks the form.
enum pyrt_status pyrt__critical_refused(const struct pyrt_critical *section, const void *first, const void *second);
enum pyrt_status pyrt__critical_end_refused(const struct pyrt_critical *section);

// End the process because a section was refused.
__attribute__((noreturn, cold)) void pyrt__critical_die(enum pyrt_status status);

#if PYRT_CRITICAL_CHECKED

static inline int pyrt__critical_enter(struct pyrt_critical *section)
{
    section->tstate = PyThreadState_GetUnchecked();
    return section->tstate != NULL;
}

static inline int pyrt__critical_here(const struct pyrt_critical *section)
{
    return section->tstate == PyThreadState_GetUnchecked();
}

#else

#define pyrt__critical_enter(section) 1
#define pyrt__critical_here(section) 1

#endif

#ifdef Py_GIL_DISABLED

// True if CPython would take off `section` and no other. One that holds nothing, because an outer one does, is not on
// CPython's list. The two lowest bits of the list's head are flags.
static inline int pyrt__critical_innermost(const struct pyrt_critical *section)
{
    return section->two._cs_base._cs_mutex == NULL ||
           (section->tstate->critical_section & ~(uintptr_t)3) == (uintptr_t)&section->two;
}

#define pyrt__critical_lock_one(section, object) PyCriticalSection_Begin(&(section)->two._cs_base, object)
#define pyrt__critical_lock_two(section, first, second) PyCriticalSection2_Begin(&(section)->two, first, second)

static inline void pyrt__critical_unlock(struct pyrt_critical *section, int live)
{
    live == 1 ? PyCriticalSection_End(&section->two._cs_base) : PyCriticalSection2_End(&section->two);
}

#else

// The GIL is the lock.
#define pyrt__critical_innermost(section) 1
#define pyrt__critical_lock_one(section, object) (void)0
#define pyrt__critical_lock_two(section, first, second) (void)0
#define pyrt__critical_unlock(section, live) (void)0

#endif

#if defined(Py_GIL_DISABLED) && PYRT_CRITICAL_HAS_MUTEX
#define pyrt__critical_lock_mutex(section, mutex) PyCriticalSection_BeginMutex(&(section)->two._cs_base, mutex)
#define pyrt__critical_lock_mutexes(section, first, second)                                                            \
    PyCriticalSection2_BeginMutex(&(section)->two, first, second)
#else
#define pyrt__critical_lock_mutex(section, mutex) (void)0
#define pyrt__critical_lock_mutexes(section, first, second) (void)0
#endif

// True if `section` may be begun on `first` and `second`; then it is live with so many locks.
static inline int pyrt__critical_vacant(struct pyrt_critical *section, const void *first, const void *second, int locks)
{
    if (section == NULL || first == NULL || second == NULL || section->live != 0 || !pyrt__critical_enter(section)) {
        return 0;
    }
    section->live = locks;
    return 1;
}

static inline enum pyrt_status pyrt_critical_begin(struct pyrt_critical *section, PyObject *object)
{
    if (__builtin_expect(!pyrt__critical_vacant(section, object, object, 1), 0)) {
        return pyrt__critical_refused(section, object, object);
    }
    pyrt__critical_lock_one(section, object);
    return PYRT_OK;
}

static inline enum pyrt_status pyrt_critical_begin_two(struct pyrt_critical *section, PyObject *first, PyObject *second)
{
    if (first == second) {
        return pyrt_critical_begin(section, first);
    }
    if (__builtin_expect(!pyrt__critical_vacant(section, first, second, 2), 0)) {
        return pyrt__critical_refused(section, first, second);
    }
    pyrt__critical_lock_two(section, first, second);
    return PYRT_OK;
}

static inline enum pyrt_status pyrt_critical_begin_mutex(struct pyrt_critical *section, PyMutex *mutex)
{
    if (__builtin_expect(!PYRT_CRITICAL_HAS_MUTEX || !pyrt__critical_vacant(section, mutex, mutex, 1), 0)) {
        return pyrt__critical_refused(section, mutex, mutex);
    }
    pyrt__critical_lock_mutex(section, mutex);
    return PYRT_OK;
}

static inline enum pyrt_status pyrt_critical_begin_two_mutexes(struct pyrt_critical *section, PyMutex *first,
                                                               PyMutex *second)
{
    if (first == second) {
        return pyrt_critical_begin_mutex(section, first);
    }
    if (__builtin_expect(!PYRT_CRITICAL_HAS_MUTEX || !pyrt__critical_vacant(section, first, second, 2), 0)) {
        return pyrt__critical_refused(section, first, second);
    }
    pyrt__critical_lock_mutexes(section, first, second);
    return PYRT_OK;
}

static inline enum pyrt_status pyrt_critical_end(struct pyrt_critical *section)
{
    int live = section != NULL ? section->live : 0;
    if (__builtin_expect(live == 0 || !pyrt__critical_here(section) || !pyrt__critical_innermost(section), 0)) {
        return pyrt__critical_end_refused(section);
    }
    section->live = 0;
    pyrt__critical_unlock(section, live);
    return PYRT_OK;
}

static inline void pyrt_critical_require(enum pyrt_status status)
{
    if (__builtin_expect(status != PYRT_OK, 0)) {
        pyrt__critical_die(status);
    }
}

#endif
