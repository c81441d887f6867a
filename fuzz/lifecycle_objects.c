// SPDX-License-Identifier: Apache-2.0
//
// lifecycle_objects: the objects that the threads of a program share, and the operations on them.
#include <Python.h>

#include "fuzz/lifecycle_world.h"

static PyObject *attribute_of(const char *module_name, const char *name)
{
    PyObject *module = PyImport_ImportModule(module_name);
    PyObject *attribute = module != NULL ? PyObject_GetAttrString(module, name) : NULL;
    Py_XDECREF(module);
    return attribute;
}

int fuzz_warnings_ignore(void)
{
    PyObject *filters = attribute_of("_warnings", "filters");
    PyObject *ignore = Py_BuildValue("(sOOOi)", "ignore", Py_None, PyExc_Warning, Py_None, 0);
    int error = filters == NULL || ignore == NULL || PyList_Insert(filters, 0, ignore) != 0;
    Py_XDECREF(ignore);
    Py_XDECREF(filters);
    return error ? -1 : 0;
}

int fuzz_objects_help(struct fuzz_objects *objects, const struct fuzz_program *program)
{
    int complete = 1;
    if (fuzz_program_has(program, FUZZ_OP_THREAD) || fuzz_program_has(program, FUZZ_OP_FORK)) {
        objects->start_thread = attribute_of("_thread", "start_joinable_thread");
        complete &= objects->start_thread != NULL;
    }
    if (fuzz_program_has(program, FUZZ_OP_TRACEMALLOC)) {
        objects->trace_memory[0] = attribute_of("_tracemalloc", "stop");
        objects->trace_memory[1] = attribute_of("_tracemalloc", "start");
        complete &= objects->trace_memory[0] != NULL && objects->trace_memory[1] != NULL;
    }
    if (fuzz_program_has(program, FUZZ_OP_FREEZE)) {
        objects->freeze[0] = attribute_of("gc", "unfreeze");
        objects->freeze[1] = attribute_of("gc", "freeze");
        complete &= objects->freeze[0] != NULL && objects->freeze[1] != NULL;
    }
    if (fuzz_program_has(program, FUZZ_OP_AT_EXIT)) {
        objects->at_exit = attribute_of("atexit", "register");
        complete &= objects->at_exit != NULL;
    }
    return complete ? 0 : -1;
}

// A class and a function of Python, in __main__.
static int python_make(struct fuzz_objects *objects)
{
    PyObject *globals = PyModule_GetDict(PyImport_AddModule("__main__"));
    objects->type =
        PyObject_CallFunction((PyObject *)&PyType_Type, "s(){s:i,s:s}", "Shared", "a", 0, "__module__", "__main__");
    if (objects->type == NULL || PyDict_SetItemString(globals, "Shared", objects->type) != 0) {
        return -1;
    }
    objects->work = PyRun_String("lambda: len([Shared.a])", Py_eval_input, globals, globals);
    return objects->work != NULL ? 0 : -1;
}

int fuzz_objects_make(struct fuzz_objects *objects)
{
    static const char *const names[FUZZ_ARGUMENTS] = {"a", "b", "c", "d"};
    *objects = (struct fuzz_objects){0};
    if (python_make(objects) != 0) {
        return -1;
    }
    objects->anchor = PyList_New(0);
    objects->pair[0] = PyList_New(0);
    objects->pair[1] = PyList_New(0);
    objects->list = PyList_New(0);
    objects->dict = PyDict_New();
    int complete = objects->anchor != NULL && objects->pair[0] != NULL && objects->pair[1] != NULL &&
                   objects->list != NULL && objects->dict != NULL;
    for (int i = 0; i < FUZZ_ARGUMENTS; i++) {
        objects->keys[i] = PyUnicode_InternFromString(names[i]);
        complete &= objects->keys[i] != NULL;
    }
    return complete ? 0 : -1;
}

static int on_event(PyObject *self, PyFrameObject *frame, int what, PyObject *arg)
{
    (void)self;
    (void)frame;
    (void)what;
    (void)arg;
    return 0;
}

static int on_pending(void *unused)
{
    (void)unused;
    return 0;
}

// Drop a new reference, or the exception in its place.
static void settle(PyObject *result)
{
    if (result == NULL) {
        PyErr_Clear();
    }
    Py_XDECREF(result);
}

static void call(PyObject *function, PyObject *argument)
{
    if (function != NULL) {
        settle(argument != NULL ? PyObject_CallOneArg(function, argument) : PyObject_CallNoArgs(function));
    }
}

void fuzz_objects_work(const struct fuzz_objects *objects)
{
    call(objects->work, NULL);
}

int fuzz_objects_settled(const struct fuzz_objects *objects)
{
    PyObject *const alone[] = {objects->anchor, objects->pair[0], objects->pair[1], objects->list, objects->dict};
    for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++) {
        if (Py_REFCNT(alone[i]) != 1) {
            return 0;
        }
    }
    return 1;
}

void fuzz_objects_drop(struct fuzz_objects *objects, const struct fuzz_program *program)
{
    PyObject **const all[] = {&objects->anchor,
                              &objects->pair[0],
                              &objects->pair[1],
                              &objects->list,
                              &objects->dict,
                              &objects->type,
                              &objects->work,
                              &objects->at_exit,
                              &objects->trace_memory[0],
                              &objects->trace_memory[1],
                              &objects->freeze[0],
                              &objects->freeze[1],
                              &objects->start_thread};
    if (fuzz_program_has(program, FUZZ_OP_PROFILE) || fuzz_program_has(program, FUZZ_OP_TRACE)) {
        PyEval_SetProfileAllThreads(NULL, NULL);
        PyEval_SetTraceAllThreads(NULL, NULL);
    }
    call(objects->trace_memory[0], NULL);
    call(objects->freeze[0], NULL);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        Py_CLEAR(*all[i]);
    }
    for (size_t i = 0; i < FUZZ_ARGUMENTS; i++) {
        Py_CLEAR(objects->keys[i]);
    }
}

static void store(int (*setter)(PyObject *, PyObject *, PyObject *), PyObject *object, PyObject *key, PyObject *value)
{
    if (value == NULL || setter(object, key, value) != 0) {
        PyErr_Clear();
    }
    Py_XDECREF(value);
}

static void container_touch(struct fuzz_objects *objects, const struct fuzz_op *op)
{
    PyObject *key = objects->keys[op->argument % FUZZ_ARGUMENTS];
    PyObject *value = NULL;
    switch (op->kind) {
    case FUZZ_OP_APPEND:
        value = PyLong_FromLong(1000 + op->argument);
        if (value == NULL || PyList_Append(objects->list, value) != 0) {
            PyErr_Clear();
        }
        Py_XDECREF(value);
        break;
    case FUZZ_OP_CLEAR:
        if (PyList_SetSlice(objects->list, 0, PY_SSIZE_T_MAX, NULL) != 0) {
            PyErr_Clear();
        }
        break;
    case FUZZ_OP_SET_ITEM:
        store(PyDict_SetItem, objects->dict, key, PyList_New(0));
        break;
    case FUZZ_OP_DEL_ITEM:
        if (PyDict_DelItem(objects->dict, key) != 0) {
            PyErr_Clear();
        }
        break;
    case FUZZ_OP_SET_TYPE:
        store(PyObject_SetAttr, objects->type, key, PyLong_FromLong(2000 + op->argument));
        break;
    case FUZZ_OP_GET_TYPE:
        settle(PyObject_GetAttr(objects->type, key));
        break;
    case FUZZ_OP_INSTANCE:
        store(PyDict_SetItem, objects->dict, key, PyObject_CallNoArgs(objects->type));
        break;
    default: // FUZZ_OP_WEAKREF
        if (PyDict_GetItemRef(objects->dict, key, &value) == 1) {
            settle(PyWeakref_NewRef(value, NULL));
        }
        PyErr_Clear();
        Py_XDECREF(value);
        break;
    }
}

static void thread_start(struct fuzz_player *player, struct fuzz_objects *objects)
{
    if (player->thread == NULL && objects->start_thread != NULL) {
        player->thread_life = objects;
        player->thread = PyObject_CallOneArg(objects->start_thread, objects->work);
        PyErr_Clear();
    }
}

// A thread of an earlier life is gone with it.
static void thread_join(struct fuzz_player *player, struct fuzz_objects *objects)
{
    PyObject *thread = player->thread_life == objects ? player->thread : NULL;
    player->thread = NULL;
    if (thread != NULL) {
        settle(PyObject_CallMethod(thread, "join", NULL));
        Py_DECREF(thread);
    }
}

void fuzz_objects_touch(struct fuzz_player *player, struct fuzz_objects *objects, const struct fuzz_op *op)
{
    int on = op->argument & 1;
    switch (op->kind) {
    case FUZZ_OP_CALL:
        fuzz_objects_work(objects);
        break;
    case FUZZ_OP_COLLECT:
        PyGC_Collect();
        break;
    case FUZZ_OP_FREEZE:
        call(objects->freeze[on], NULL);
        break;
    case FUZZ_OP_PROFILE:
        PyEval_SetProfileAllThreads(on ? on_event : NULL, NULL);
        break;
    case FUZZ_OP_TRACE:
        PyEval_SetTraceAllThreads(on ? on_event : NULL, NULL);
        break;
    case FUZZ_OP_TRACEMALLOC:
        call(objects->trace_memory[on], NULL);
        break;
    case FUZZ_OP_AT_EXIT:
        call(objects->at_exit, objects->work);
        break;
    case FUZZ_OP_PENDING:
        (void)Py_AddPendingCall(on_pending, NULL);
        break;
    case FUZZ_OP_THREAD:
        thread_start(player, objects);
        break;
    case FUZZ_OP_JOIN:
        thread_join(player, objects);
        break;
    default:
        container_touch(objects, op);
        break;
    }
}
