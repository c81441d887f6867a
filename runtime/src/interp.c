// SPDX-License-Identifier: Apache-2.0
//
// interp: making and ending subinterpreters.
//
// The thread state that CPython makes an interpreter with is deleted at once, and the end gets a fresh one, so that
// both may happen on any thread. The door is closed before the end: who is inside makes the interpreter BUSY, who comes
// later is refused.
#include <Python.h>

#include "pyrt/interp.h"

#include "activate.h"
#include "backend.h"
#include "pyrt/attach.h"
#include "pyrt/hook.h"
#include "record.h"

void pyrt_interp_defaults(PyInterpreterConfig *config)
{
    *config = (PyInterpreterConfig){
        .allow_threads = 1,
        .check_multi_interp_extensions = 1,
        .gil = PyInterpreterConfig_OWN_GIL,
    };
}

// The new interpreter's thread state is attached: meet it, and leave it without one.
static enum pyrt_status meet(struct pyrt_interp *interp, PyThreadState *tstate)
{
    struct pyrt_pool *record = NULL;
    enum pyrt_status status = pyrt__record_current(&record);
    if (status != PYRT_OK) {
        Py_EndInterpreter(tstate);
        return status;
    }
    pyrt__record_ref(record);
    interp->record = record;
    interp->owned = 1;
    pyrt__activate_dispose(tstate);
    return PYRT_OK;
}

enum pyrt_status pyrt_interp_create(struct pyrt_interp *interp, const PyInterpreterConfig *config)
{
    if (interp == NULL) {
        return PYRT_INVALID;
    }
    if (interp->record != NULL) {
        return PYRT_ALREADY_LIVE;
    }
    struct pyrt__thread *self = pyrt__thread_self();
    if (self->forbidden > 0) {
        return PYRT_FORBIDDEN;
    }
    PyInterpreterConfig chosen;
    pyrt_interp_defaults(&chosen);
    chosen = config != NULL ? *config : chosen;
    struct pyrt_attach attach = {0};
    if (PyThreadState_GetUnchecked() == NULL) {
        enum pyrt_status status = pyrt_attach_try(&attach);
        if (status != PYRT_OK) {
            return status;
        }
    }
    struct pyrt__frame frame = pyrt__frame_save(self);
    PyThreadState *previous = PyThreadState_Get();
    PyThreadState *tstate = NULL;
    enum pyrt_status status = PYRT_INIT_FAILED;
    if (!PyStatus_Exception(Py_NewInterpreterFromConfig(&tstate, &chosen))) {
        status = meet(interp, tstate);
        pyrt__backend_swap(previous);
    }
    pyrt__frame_restore(self, frame);
    if (attach.serial != 0) {
        pyrt_attach_release(&attach);
    }
    return status;
}

static void forget(struct pyrt_interp *interp)
{
    struct pyrt_pool *record = interp->record;
    *interp = (struct pyrt_interp){0};
    pyrt__record_unref(record);
}

// Wait for the threads of the threading module, as Py_EndInterpreter does, and say whether others of Python's run:
// daemon threads, whose thread states CPython would take away, or, before 3.14, end the process for.
static int python_threads_run(void)
{
    PyObject *scope = PyDict_New();
    PyObject *answer = scope == NULL ? NULL
                                     : PyRun_String("import sys, _thread\n"
                                                    "threading = sys.modules.get('threading')\n"
                                                    "if threading is not None:\n"
                                                    "    threading._shutdown()\n"
                                                    "running = _thread._count()\n",
                                                    Py_file_input, scope, scope);
    PyObject *running = answer == NULL ? NULL : PyDict_GetItemString(scope, "running");
    int run = running != NULL && PyObject_IsTrue(running) == 1;
    if (answer == NULL) {
        PyErr_WriteUnraisable(NULL);
    }
    Py_XDECREF(answer);
    Py_XDECREF(scope);
    return run;
}

// True if other code has left a thread state here. CPython's list has a lock, but not for its callers. None is needed:
// the door is closed, so that this runtime's own states are gone, as are those of Python's threads; new ones come first
// in the list; and of the states only `tstate` itself is looked into, which is in the list until the end.
static int has_others(PyThreadState *tstate)
{
    return PyInterpreterState_ThreadHead(PyThreadState_GetInterpreter(tstate)) != tstate ||
           PyThreadState_Next(tstate) != NULL;
}

// The fresh thread state is attached. PYRT_OK: the interpreter has ended, nothing is attached. BUSY: it has not.
static enum pyrt_status end(struct pyrt__thread *self, PyThreadState *tstate)
{
    enum pyrt_status status = pyrt__thread_enter(self);
    if (status != PYRT_OK) {
        pyrt__activate_dispose(tstate);
        return status;
    }
    self->count = 1;
    status = python_threads_run() || has_others(tstate) ? PYRT_BUSY : PYRT_OK;
    if (status == PYRT_OK) {
        pyrt_hook_point("interp.ending");
        Py_EndInterpreter(tstate);
    } else {
        PyThreadState_Clear(tstate);
        PyThreadState_DeleteCurrent();
    }
    self->count = 0;
    pyrt__thread_leave(self);
    return status;
}

static enum pyrt_status destroy(struct pyrt__thread *self, struct pyrt_pool *record)
{
    enum pyrt_status status = pyrt__use_close_unkept(record);
    if (status == PYRT_FINALIZING) {
        return pyrt__record_gone(record) ? PYRT_GONE : PYRT_BUSY;
    }
    if (status != PYRT_OK) {
        return status;
    }
    PyThreadState *current = PyThreadState_GetUnchecked();
    PyThreadState *tstate = NULL;
    if (current != NULL && PyThreadState_GetInterpreter(current) == record->interp) {
        status = PYRT_BUSY;
    } else {
        tstate = PyThreadState_New(record->interp);
        status = tstate != NULL ? PYRT_OK : PYRT_NO_MEMORY;
    }
    if (tstate != NULL) {
        struct pyrt__frame frame = pyrt__frame_save(self);
        void *previous = pyrt__backend_swap(tstate);
        status = end(self, tstate);
        pyrt__backend_swap(previous);
        pyrt__frame_restore(self, frame);
    }
    if (status != PYRT_OK) {
        pyrt__use_reopen(record);
    }
    return status;
}

enum pyrt_status pyrt_interp_destroy(struct pyrt_interp *interp)
{
    if (interp == NULL || interp->record == NULL) {
        return PYRT_INVALID;
    }
    struct pyrt__thread *self = pyrt__thread_self();
    enum pyrt_status status = PYRT_OK;
    if (interp->owned) {
        if (self->forbidden > 0 || pyrt__thread_stranded()) {
            return self->forbidden > 0 ? PYRT_FORBIDDEN : PYRT_FORKED;
        }
        status = pyrt__record_gone(interp->record) ? PYRT_GONE : destroy(self, interp->record);
    }
    if (status == PYRT_OK || status == PYRT_GONE) {
        forget(interp);
    }
    return status;
}

enum pyrt_status pyrt_interp_main(struct pyrt_interp *interp)
{
    if (interp == NULL) {
        return PYRT_INVALID;
    }
    if (interp->record != NULL) {
        return PYRT_ALREADY_LIVE;
    }
    struct pyrt_pool *record = pyrt__record_main();
    if (!record->bound || pyrt__record_gone(record)) {
        return PYRT_NOT_INITIALIZED;
    }
    interp->record = record;
    return PYRT_OK;
}

enum pyrt_status pyrt_interp_current(struct pyrt_interp *interp)
{
    if (interp == NULL) {
        return PYRT_INVALID;
    }
    if (interp->record != NULL) {
        return PYRT_ALREADY_LIVE;
    }
    if (PyThreadState_GetUnchecked() == NULL) {
        return PYRT_NOT_ATTACHED;
    }
    struct pyrt_pool *record = NULL;
    enum pyrt_status status = pyrt__record_current(&record);
    if (status == PYRT_OK) {
        pyrt__record_ref(record);
        interp->record = record;
    }
    return status;
}

int64_t pyrt_interp_id(const struct pyrt_interp *interp)
{
    return pyrt_interp_is_empty(interp) ? -1 : interp->record->id;
}

enum pyrt_status pyrt_interp_dict(const struct pyrt_interp *interp, PyObject **dict)
{
    if (pyrt_interp_is_empty(interp) || dict == NULL) {
        return PYRT_INVALID;
    }
    PyThreadState *current = PyThreadState_GetUnchecked();
    if (current == NULL) {
        return PYRT_NOT_ATTACHED;
    }
    if (PyThreadState_GetInterpreter(current) != interp->record->interp) {
        return PYRT_MISMATCH;
    }
    *dict = PyInterpreterState_GetDict(interp->record->interp);
    return *dict != NULL ? PYRT_OK : PYRT_NO_MEMORY;
}

void pyrt_interp_disarm(struct pyrt_interp *interp)
{
    if (interp != NULL) {
        interp->owned = 0;
    }
}

enum pyrt_status pyrt_interp_move(struct pyrt_interp *to, struct pyrt_interp *from)
{
    if (to == NULL || from == NULL) {
        return PYRT_INVALID;
    }
    if (to->record != NULL) {
        return PYRT_ALREADY_LIVE;
    }
    *to = *from;
    *from = (struct pyrt_interp){0};
    return PYRT_OK;
}

int pyrt_interp_is_empty(const struct pyrt_interp *interp)
{
    return interp == NULL || interp->record == NULL;
}
