// SPDX-License-Identifier: Apache-2.0
//
// raw: subinterpreters, callbacks and functions for scenarios that call CPython by itself.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/raw.h"

PyInterpreterState *raw_interp_new(int own_gil)
{
    const PyInterpreterConfig config = {
        .use_main_obmalloc = !own_gil,
        .allow_threads = 1,
        .allow_daemon_threads = 1,
        .check_multi_interp_extensions = 1,
        .gil = own_gil ? PyInterpreterConfig_OWN_GIL : PyInterpreterConfig_SHARED_GIL,
    };
    PyThreadState *before = PyThreadState_Get();
    PyThreadState *tstate = NULL;
    if (PyStatus_Exception(Py_NewInterpreterFromConfig(&tstate, &config))) {
        return NULL;
    }
    PyInterpreterState *interp = PyThreadState_GetInterpreter(tstate);
    raw_leave();
    PyThreadState_Swap(before);
    return interp;
}

PyThreadState *raw_enter(PyInterpreterState *interp)
{
    PyThreadState *tstate = PyThreadState_New(interp);
    if (tstate != NULL) {
        PyEval_RestoreThread(tstate);
    }
    return tstate;
}

void raw_leave(void)
{
    PyThreadState_Clear(PyThreadState_Get());
    PyThreadState_DeleteCurrent();
}

void raw_interp_end(PyInterpreterState *interp)
{
    Py_EndInterpreter(raw_enter(interp));
}

int raw_at_exit(PyMethodDef *method)
{
    PyObject *module = PyImport_ImportModule("atexit");
    PyObject *function = PyCFunction_New(method, NULL);
    PyObject *result = NULL;
    if (module != NULL && function != NULL) {
        result = PyObject_CallMethod(module, "register", "O", function);
    }
    int status = result != NULL ? 0 : -1;
    Py_XDECREF(result);
    Py_XDECREF(function);
    Py_XDECREF(module);
    return status;
}

int raw_define(PyMethodDef *method)
{
    PyObject *module = PyImport_AddModule("__main__");
    PyObject *function = PyCFunction_New(method, NULL);
    int status = module != NULL && function != NULL ? PyObject_SetAttrString(module, method->ml_name, function) : -1;
    Py_XDECREF(function);
    return status;
}

struct teardown {
    void (*function)(void *context); // const after init
    void *context;                   // const after init
};

static void on_teardown(PyObject *capsule)
{
    struct teardown *teardown = PyCapsule_GetPointer(capsule, NULL);
    void (*function)(void *) = teardown->function;
    void *context = teardown->context;
    PyMem_RawFree(teardown);
    function(context);
}

int raw_at_teardown(void (*function)(void *context), void *context)
{
    struct teardown *teardown = PyMem_RawMalloc(sizeof(*teardown));
    PyObject *module = PyImport_AddModule("__main__");
    if (teardown == NULL || module == NULL) {
        return -1;
    }
    teardown->function = function;
    teardown->context = context;
    PyObject *capsule = PyCapsule_New(teardown, NULL, on_teardown);
    int status = capsule != NULL ? PyObject_SetAttrString(module, "at_teardown", capsule) : -1;
    Py_XDECREF(capsule);
    return status;
}

PyObject *raw_function(const char *code, const char *name)
{
    PyObject *module = PyImport_AddModule("__main__");
    if (module == NULL || PyRun_SimpleString(code) != 0) {
        return NULL;
    }
    return PyObject_GetAttrString(module, name);
}

int raw_call(PyObject *function)
{
    PyObject *result = PyObject_CallNoArgs(function);
    if (result == NULL) {
        PyErr_Print();
        return -1;
    }
    Py_DECREF(result);
    return 0;
}

void raw_visit(PyObject *function, int times)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    for (int i = 0; i < times; i++) {
        CX_CHECK(raw_call(function) == 0);
    }
    PyGILState_Release(gil);
}
