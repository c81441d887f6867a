// SPDX-License-Identifier: Apache-2.0
//
// backend_gilstate: 3.13 and 3.14, over PyGILState_Ensure and PyEval_RestoreThread.
//
// Neither function can fail. A thread that comes while the interpreter is being finalized is parked for ever, or ended
// (before 3.13.8), or crashes (gh-124619). So a thread goes through our own door first (door.c): finalization waits at
// atexit until those inside have left, and then lets nobody in. The very first attach of all comes before there is a
// door. It can only ask CPython, and finalization may begin between the answer and the act.
//
// Where CPython ends a late thread by pthread_exit, the thread would unwind through callers that hold locks and
// half-made objects, and run destructors that take it for attached. A cleanup handler parks it instead, which is what
// later versions do by themselves (gh-87135).
#include <Python.h>

#if PY_VERSION_HEX < 0x030F0000

#include "backend.h"

#include <pthread.h>
#include <unistd.h>

#include "pyrt/hook.h"
#include "record.h"

#if PY_VERSION_HEX < 0x030D0800

static void park(void *unused)
{
    (void)unused;
    for (;;) {
        pause();
    }
}

// Around every call in which CPython may end the thread. They open and close a block, as POSIX allows.
#define LATE_BEGIN pthread_cleanup_push(park, NULL)
#define LATE_END pthread_cleanup_pop(0)

#else

#define LATE_BEGIN
#define LATE_END

#endif

static enum pyrt_status runtime_open(void)
{
    // Initialized first: it is cleared after finalizing was set, so that both answers together can't miss a runtime
    // that has begun to end. Finalizing is still worth asking when it is clear, for the better name.
    int initialized = Py_IsInitialized();
    if (Py_IsFinalizing()) {
        return PYRT_FINALIZING;
    }
    return initialized ? PYRT_OK : PYRT_NOT_INITIALIZED;
}

enum pyrt_status pyrt__backend_attach(struct pyrt__entry *entry)
{
    enum pyrt_status status = pyrt__backend_main_attached();
    if (status != PYRT_NOT_ATTACHED) {
        return status;
    }
    struct pyrt_pool *record = pyrt__record_main();
    int known = record->bound && !pyrt__record_gone(record);
    if (known) {
        status = pyrt__use_take(record);
        if (status != PYRT_OK) {
            return status;
        }
        entry->used = record;
        pyrt_hook_point("attach.used");
    } else {
        status = runtime_open();
        if (status != PYRT_OK) {
            return status;
        }
    }
    // PyGILState_Ensure takes the thread state that this thread used last, of whatever interpreter.
    PyThreadState *bound = PyGILState_GetThisThreadState();
    if (bound != NULL && PyThreadState_GetInterpreter(bound) != PyInterpreterState_Main()) {
        if (known) {
            pyrt__use_drop(record);
            entry->used = NULL;
        }
        return PYRT_MISMATCH;
    }
    pyrt_hook_point("attach.checked");
    pyrt__backend_attach_unchecked(entry);
    return PYRT_OK;
}

static char gilstates[2]; // their addresses are the tokens of attaches through PyGILState_Ensure

void pyrt__backend_attach_unchecked(struct pyrt__entry *entry)
{
    LATE_BEGIN;
    PyGILState_STATE state = PyGILState_Ensure();
    // Both states, LOCKED (0) and UNLOCKED (1), become a pointer that is not NULL, and not to a thread state.
    entry->token = &gilstates[state];
    LATE_END;
}

void pyrt__backend_release(struct pyrt__entry *entry)
{
    if (entry->token != NULL) {
        // Destructors run in here and may detach and come back, so a late thread can be ended here too.
        LATE_BEGIN;
        if (entry->token == &gilstates[PyGILState_LOCKED] || entry->token == &gilstates[PyGILState_UNLOCKED]) {
            PyGILState_Release((PyGILState_STATE)((char *)entry->token - gilstates));
        } else {
            PyEval_SaveThread();
        }
        LATE_END;
        entry->token = NULL;
    }
}

void *pyrt__backend_swap(void *tstate)
{
    void *previous = NULL;
    LATE_BEGIN;
    previous = PyThreadState_Swap(tstate);
    LATE_END;
    return previous;
}

enum pyrt_status pyrt__backend_guard_new(const struct pyrt_pool *record, void **guard)
{
    (void)record;
    *guard = NULL;
    return PYRT_OK;
}

void pyrt__backend_guard_close(void *guard)
{
    (void)guard;
}

int pyrt__backend_view_new(void **view)
{
    *view = NULL;
    return 0;
}

int pyrt__backend_view_main(void **view)
{
    *view = NULL;
    return 0;
}

void pyrt__backend_view_close(void *view)
{
    (void)view;
}

#if PY_VERSION_HEX < 0x030D0800
void pyrt__backend_resume(void *tstate)
{
    LATE_BEGIN;
    PyEval_RestoreThread(tstate);
    LATE_END;
}
#endif

#endif
