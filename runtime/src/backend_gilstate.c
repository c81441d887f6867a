// SPDX-License-Identifier: Apache-2.0
//
// backend_gilstate: 3.13 and 3.14, over PyGILState_Ensure and PyEval_RestoreThread.
//
// Neither function can fail. A thread that comes while the interpreter is being finalized is parked for ever, or ended
// (before 3.13.8), or crashes (gh-124619). So the state of the runtime is asked first, which closes most of the window
// but not all of it: finalization may begin between the answer and the act.
//
// Where CPython ends a late thread by pthread_exit, the thread would unwind through callers that hold locks and
// half-made objects, and run destructors that take it for attached. A cleanup handler parks it instead, which is what
// later versions do by themselves (gh-87135).
#include <Python.h>

#if PY_VERSION_HEX < 0x030F0000

#include "backend.h"

#include <pthread.h>
#include <stdint.h>
#include <unistd.h>

#include "pyrt/hook.h"

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

enum pyrt_status pyrt__backend_attach(void **token)
{
    enum pyrt_status status = runtime_open();
    if (status != PYRT_OK) {
        return status;
    }
    if (pyrt__backend_main_attached() == PYRT_MISMATCH) {
        return PYRT_MISMATCH;
    }
    pyrt_hook_point("attach.checked");
    LATE_BEGIN;
    PyGILState_STATE state = PyGILState_Ensure();
    // Both states, LOCKED (0) and UNLOCKED (1), become a pointer that is not NULL.
    *token = (void *)((uintptr_t)state + 1);
    LATE_END;
    return PYRT_OK;
}

void pyrt__backend_release(void *token)
{
    // Destructors run in here and may detach and come back, so a late thread can be ended here too.
    LATE_BEGIN;
    PyGILState_Release((PyGILState_STATE)((uintptr_t)token - 1));
    LATE_END;
}

void pyrt__backend_resume(void *tstate)
{
    LATE_BEGIN;
    PyEval_RestoreThread(tstate);
    LATE_END;
}

#endif
