// SPDX-License-Identifier: Apache-2.0
//
// account: an extension module as `constrictor cc` compiles it. deposit() adds to a balance in two atomic steps;
// audit() collects garbage with a mutex held, for which another thread waits without letting go of its thread state: a
// stop-the-world that never comes. visit() counts in a plain integer, a race for ThreadSanitizer. With a true argument
// each does it right.
#include <Python.h>

#include <pthread.h>
#include <stdatomic.h>

static atomic_int balance;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static PyObject *deposit(PyObject *module, PyObject *corrected)
{
    (void)module;
    if (PyObject_IsTrue(corrected)) {
        atomic_fetch_add(&balance, 1);
    } else {
        int seen = atomic_load(&balance);
        atomic_store(&balance, seen + 1);
    }
    return PyLong_FromLong(atomic_load(&balance));
}

static PyObject *audit(PyObject *module, PyObject *corrected)
{
    (void)module;
    if (PyObject_IsTrue(corrected)) {
        Py_BEGIN_ALLOW_THREADS pthread_mutex_lock(&mutex);
        Py_END_ALLOW_THREADS
    } else {
        pthread_mutex_lock(&mutex);
    }
    PyGC_Collect();
    pthread_mutex_unlock(&mutex);
    Py_RETURN_NONE;
}

static PyObject *visit(PyObject *module, PyObject *corrected)
{
    (void)module;
    static int visits;
    if (PyObject_IsTrue(corrected)) {
        pthread_mutex_lock(&mutex);
        visits++;
        pthread_mutex_unlock(&mutex);
    } else {
        visits++;
    }
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"deposit", deposit, METH_O, NULL}, {"audit", audit, METH_O, NULL}, {"visit", visit, METH_O, NULL}, {0}};
static PyModuleDef_Slot slots[] = {
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "account", .m_methods = methods, .m_slots = slots};

PyMODINIT_FUNC PyInit_account(void)
{
    return PyModuleDef_Init(&definition);
}
