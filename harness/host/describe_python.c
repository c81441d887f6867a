// SPDX-License-Identifier: Apache-2.0
//
// describe_python: what a CPython thread that cannot go on is waiting for, in CPython's own terms: a stop-the-world
// that an attached thread will not join, or the GIL. Read from the runtime's internal state when a run has ended, with
// every thread standing still: no lock is taken, and nothing of CPython is called.
//
// Sources: Python/pystate.c (stop_the_world, park_detached_threads), Python/ceval_gil.c (take_gil).
#include <Python.h>

#include "pycore_interp.h"
#if PY_VERSION_HEX >= 0x030e0000
#include "pycore_interpframe.h"
#else
#include "pycore_frame.h"
#endif
#include "pycore_pystate.h"
#include "pycore_runtime.h"

#include "harness/host/host.h"
#include "harness/sched/sched.h"

#include <stdio.h>
#include <string.h>

// Chains are followed in memory that a crash may have left half done.
#define CHAIN_MAX 10000

static PyInterpreterState *first_interpreter(void)
{
    return _PyRuntime.interpreters.head;
}

static struct cx_thread *thread_of(const PyThreadState *tstate)
{
    return tstate != NULL ? cx_thread_find((pthread_t)tstate->thread_id) : NULL;
}

// An attached thread, other than the requester, that keeps the world from stopping.
static const PyThreadState *still_attached(const PyInterpreterState *interp, const PyThreadState *requester)
{
    int links = 0;
    for (const PyThreadState *t = interp->threads.head; t != NULL && links < CHAIN_MAX; t = t->next, links++) {
        if (t != requester && t->state == _Py_THREAD_ATTACHED) {
            return t;
        }
    }
    return NULL;
}

static void say_stop_the_world(const PyThreadState *blocker, char *out, size_t out_bytes, uint32_t *holder_key)
{
    const struct cx_thread *thread = thread_of(blocker);
    if (thread == NULL) {
        snprintf(out, out_bytes, "the world to stop (stop-the-world)");
        return;
    }
    *holder_key = thread->key;
    snprintf(out, out_bytes, "the world to stop (stop-the-world): %s is attached and does not", thread->path);
}

static int waits_for_world(const struct _stoptheworld_state *stw, const PyInterpreterState *only,
                           const struct cx_thread *thread, char *out, size_t out_bytes, uint32_t *holder_key)
{
    if (!stw->requested || stw->world_stopped || thread_of(stw->requester) != thread) {
        return 0;
    }
    const PyThreadState *blocker = NULL;
    int links = 0;
    const PyInterpreterState *interp = only != NULL ? only : first_interpreter();
    for (; interp != NULL && blocker == NULL && links < CHAIN_MAX; links++) {
        blocker = still_attached(interp, stw->requester);
        interp = only != NULL ? NULL : interp->next;
    }
    say_stop_the_world(blocker, out, out_bytes, holder_key);
    return 1;
}

static int waits_for_gil(const PyInterpreterState *interp, const struct cx_thread *thread, char *out, size_t out_bytes,
                         uint32_t *holder_key)
{
    const struct _gil_runtime_state *gil = interp->ceval.gil;
    if (gil == NULL || thread->wait_object != &gil->cond) {
        return 0;
    }
    const struct cx_thread *holder = gil->locked > 0 ? thread_of(gil->last_holder) : NULL;
    if (holder != NULL) {
        *holder_key = holder->key;
    }
    snprintf(out, out_bytes, "the GIL, held by %s", holder != NULL ? holder->path : "nobody that is known");
    return 1;
}

static const PyThreadState *state_of(const struct cx_thread *thread)
{
    int links = 0;
    for (const PyInterpreterState *i = first_interpreter(); i != NULL && links < CHAIN_MAX; i = i->next) {
        for (const PyThreadState *t = i->threads.head; t != NULL && links < CHAIN_MAX; t = t->next, links++) {
            if (thread_of(t) == thread) {
                return t;
            }
        }
    }
    return NULL;
}

// Borrowed; NULL for a text that would have to be encoded first.
static const char *plain_text(PyObject *text)
{
    return PyUnicode_IS_COMPACT_ASCII(text) ? (const char *)PyUnicode_1BYTE_DATA(text) : NULL;
}

// ThreadSanitizer's own; absent from debug targets.
__attribute__((weak)) void __tsan_ignore_thread_begin(void);
__attribute__((weak)) void __tsan_ignore_thread_end(void);

// What CPython's code, instrumented as it is, reads for us is no access of the program: it must not be part of a race.
static int line_of(struct _PyInterpreterFrame *frame)
{
    if (__tsan_ignore_thread_begin != NULL) {
        __tsan_ignore_thread_begin();
    }
    int line = PyUnstable_InterpreterFrame_GetLine(frame);
    if (__tsan_ignore_thread_end != NULL) {
        __tsan_ignore_thread_end();
    }
    return line;
}

// Where a thread of a script is in Python. Nothing is counted here: this thread may have no thread state to count in.
static void say_python_place(const struct cx_thread *thread, char *out, size_t out_bytes)
{
    const PyThreadState *state = state_of(thread);
    struct _PyInterpreterFrame *frame = state != NULL ? state->current_frame : NULL;
#if PY_VERSION_HEX >= 0x030e0000
    PyObject *code = frame != NULL ? PyStackRef_AsPyObjectBorrow(frame->f_executable) : NULL;
#else
    PyObject *code = frame != NULL ? frame->f_executable : NULL;
#endif
    cx_self = NULL; // the run is over: what follows passes no points
    if (code == NULL || !PyCode_Check(code)) {
        return;
    }
    const char *function = plain_text(((PyCodeObject *)code)->co_qualname);
    const char *file = plain_text(((PyCodeObject *)code)->co_filename);
    if (function != NULL && file != NULL) {
        const char *slash = strrchr(file, '/');
        snprintf(out, out_bytes, "what %.40s (%.30s:%d) asks for", function, slash != NULL ? slash + 1 : file,
                 line_of(frame));
    }
}

void cx_host_describe_wait(struct cx_thread *thread, char *out, size_t out_bytes, uint32_t *holder_key)
{
    if (waits_for_world(&_PyRuntime.stoptheworld, NULL, thread, out, out_bytes, holder_key)) {
        return;
    }
    int links = 0;
    for (const PyInterpreterState *interp = first_interpreter(); interp != NULL && links < CHAIN_MAX;
         interp = interp->next, links++) {
        if (waits_for_world(&interp->stoptheworld, interp, thread, out, out_bytes, holder_key) ||
            waits_for_gil(interp, thread, out, out_bytes, holder_key)) {
            return;
        }
    }
    if (cx_sched.channel->subject.kind != CX_SUBJECT_NONE) {
        say_python_place(thread, out, out_bytes);
    }
}
