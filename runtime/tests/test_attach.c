// SPDX-License-Identifier: Apache-2.0
//
// test_attach: counting, order, threads, and what is left after finalization.
#include <Python.h>

#include "pyrt/pyrt.h"

#include <pthread.h>

#include "testing.h"

static void test_nested_attaches_count(void)
{
    struct pyrt_attach attaches[3] = {{0}};
    CHECK(!pyrt_is_attached());
    for (int i = 0; i < 3; i++) {
        CHECK_STATUS(pyrt_attach_try(&attaches[i]), PYRT_OK);
        CHECK(pyrt_is_attached());
    }
    CHECK_STATUS(pyrt_attach_try(&attaches[0]), PYRT_ALREADY_LIVE);
    CHECK_STATUS(pyrt_attach_release(&attaches[0]), PYRT_OUT_OF_ORDER);
    for (int i = 2; i >= 0; i--) {
        CHECK(pyrt_is_attached());
        CHECK_STATUS(pyrt_attach_release(&attaches[i]), PYRT_OK);
    }
    CHECK(!pyrt_is_attached());
    CHECK_STATUS(pyrt_attach_release(&attaches[0]), PYRT_NOT_LIVE);
}

static void test_detach_lets_others_in_and_restores_the_count(void)
{
    struct pyrt_attach outer = {0};
    struct pyrt_attach inner = {0};
    struct pyrt_detach detach = {0};
    CHECK_STATUS(pyrt_attach_try(&outer), PYRT_OK);
    CHECK_STATUS(pyrt_attach_try(&inner), PYRT_OK);
    const PyThreadState *tstate = PyThreadState_Get();
    CHECK_STATUS(pyrt_detach_begin(&detach), PYRT_OK);
    CHECK(!pyrt_is_attached() && PyThreadState_GetUnchecked() == NULL);
    CHECK_STATUS(pyrt_attach_release(&inner), PYRT_OUT_OF_ORDER);
    test_nested_attaches_count();
    CHECK_STATUS(pyrt_detach_end(&detach), PYRT_OK);
    CHECK(pyrt_is_attached() && PyThreadState_Get() == tstate);
    CHECK_STATUS(pyrt_detach_end(&detach), PYRT_NOT_LIVE);
    CHECK_STATUS(pyrt_attach_release(&inner), PYRT_OK);
    CHECK_STATUS(pyrt_attach_release(&outer), PYRT_OK);
}

static void *on_virgin_thread(void *unused)
{
    (void)unused;
    struct pyrt_attach attach = {0};
    CHECK_STATUS(pyrt_attach_assume(&attach), PYRT_NOT_ATTACHED);
    test_nested_attaches_count();
    test_detach_lets_others_in_and_restores_the_count();
    CHECK_STATUS(pyrt_attach_unchecked(&attach), PYRT_OK);
    CHECK(pyrt_is_attached());
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    CHECK(PyThreadState_GetUnchecked() == NULL);
    return NULL;
}

static void test_attach_beside_the_old_functions(void)
{
    struct pyrt_attach attach = {0};
    PyGILState_STATE state = PyGILState_Ensure();
    CHECK_STATUS(pyrt_attach_try(&attach), PYRT_OK);
    CHECK(pyrt_is_attached());
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    CHECK(PyThreadState_GetUnchecked() != NULL);
    PyGILState_Release(state);
}

static void test_forbid_refuses(void)
{
    struct pyrt_attach attach = {0};
    struct pyrt_attach other = {0};
    struct pyrt_detach detach = {0};
    struct pyrt_forbid forbid = {0};
    CHECK_STATUS(pyrt_attach_try(&attach), PYRT_OK);
    CHECK_STATUS(pyrt_forbid_begin(&forbid), PYRT_OK);
    CHECK(pyrt_in_traverse() && !pyrt_is_attached());
    CHECK_STATUS(pyrt_attach_try(&other), PYRT_FORBIDDEN);
    CHECK_STATUS(pyrt_attach_assume(&other), PYRT_FORBIDDEN);
    CHECK_STATUS(pyrt_attach_unchecked(&other), PYRT_FORBIDDEN);
    CHECK_STATUS(pyrt_detach_begin(&detach), PYRT_FORBIDDEN);
    CHECK_STATUS(pyrt_pool_drain(), PYRT_FORBIDDEN);
    CHECK_STATUS(pyrt_forbid_end(&forbid), PYRT_OK);
    CHECK(!pyrt_in_traverse() && pyrt_is_attached());
    CHECK_STATUS(pyrt_attach_try(&other), PYRT_OK);
    CHECK_STATUS(pyrt_attach_release(&other), PYRT_OK);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
}

static pthread_key_t key;
static int destructors_run;

static void on_thread_end(void *unused)
{
    (void)unused;
    struct pyrt_attach attach = {0};
    CHECK_STATUS(pyrt_attach_try(&attach), PYRT_OK);
    CHECK(PyLong_FromLong(1) != NULL);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    destructors_run++;
}

static void *ends_by_cancel_or_return(void *by_exit)
{
    pthread_setspecific(key, &key);
    test_nested_attaches_count();
    pthread_cleanup_push(on_thread_end, NULL);
    if (by_exit != NULL) {
        pthread_exit(NULL);
    }
    pthread_cleanup_pop(1);
    return NULL;
}

static void test_attach_in_thread_destructors(void)
{
    CHECK(pthread_key_create(&key, on_thread_end) == 0);
    testing_in_thread_detached(ends_by_cancel_or_return, NULL);
    testing_in_thread_detached(ends_by_cancel_or_return, &key);
    CHECK(destructors_run == 4);
    CHECK(pthread_key_delete(key) == 0);
}

static int exits_run;

static PyObject *on_exit_function(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    struct pyrt_attach attach = {0};
    struct pyrt_detach detach = {0};
    CHECK_STATUS(pyrt_attach_try(&attach), PYRT_OK);
    CHECK_STATUS(pyrt_detach_begin(&detach), PYRT_OK);
    CHECK_STATUS(pyrt_detach_end(&detach), PYRT_OK);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    exits_run++;
    Py_RETURN_NONE;
}

static PyMethodDef exit_method = {"on_exit", on_exit_function, METH_NOARGS, NULL};

static void register_exit(void)
{
    PyObject *atexit = PyImport_ImportModule("atexit");
    PyObject *function = PyCFunction_New(&exit_method, NULL);
    CHECK(atexit != NULL && function != NULL);
    PyObject *result = PyObject_CallMethod(atexit, "register", "O", function);
    CHECK(result != NULL);
    Py_DECREF(result);
    Py_DECREF(function);
    Py_DECREF(atexit);
}

// A capsule in the interpreter's dictionary dies when the interpreter is cleared.
static void on_late_destroy(PyObject *capsule)
{
    (void)capsule;
    struct pyrt_attach attach = {0};
    CHECK_STATUS(pyrt_attach_try(&attach), PYRT_OK);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    exits_run++;
}

// The interpreter ends inside a detached thread's scopes and inside an attach of the finalizing thread.
static void test_scopes_that_outlive_their_interpreter(void)
{
    struct pyrt_attach attach = {0};
    struct pyrt_attach inner = {0};
    register_exit(); // before the runtime's own, so that it runs after the door has closed
    CHECK_STATUS(pyrt_attach_assume(&attach), PYRT_OK);
    register_exit();
    PyObject *capsule = PyCapsule_New(&attach, NULL, on_late_destroy);
    CHECK(capsule != NULL);
    PyObject *dict = PyInterpreterState_GetDict(PyInterpreterState_Get());
    CHECK(PyDict_SetItemString(dict, "late", capsule) == 0);
    Py_DECREF(capsule);
    exits_run = 0;
    CHECK(Py_FinalizeEx() == 0);
    CHECK(exits_run == 3);
    CHECK(!pyrt_is_attached());
    CHECK_STATUS(pyrt_attach_try(&inner), PYRT_GONE);
    testing_initialize();
    // The new main thread state may have the old one's address.
    CHECK(!pyrt_is_attached());
    CHECK_STATUS(pyrt_attach_try(&inner), PYRT_GONE);
    CHECK_STATUS(pyrt_attach_assume(&inner), PYRT_GONE);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_GONE);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_NOT_LIVE);
    CHECK_STATUS(pyrt_attach_try(&inner), PYRT_OK);
    CHECK_STATUS(pyrt_attach_release(&inner), PYRT_OK);
}

int main(int argc, char **argv)
{
    testing_path(argc, argv);
    testing_initialize();
    test_nested_attaches_count();
    test_detach_lets_others_in_and_restores_the_count();
    testing_in_thread_detached(on_virgin_thread, NULL);
    test_attach_beside_the_old_functions();
    test_forbid_refuses();
    test_attach_in_thread_destructors();
    test_scopes_that_outlive_their_interpreter();
    test_scopes_that_outlive_their_interpreter();
    CHECK(Py_FinalizeEx() == 0);
    return 0;
}
