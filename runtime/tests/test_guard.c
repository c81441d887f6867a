// SPDX-License-Identifier: Apache-2.0
//
// test_guard: PEP 788 as CPython's test_embed, _testcapi and _testinternalcapi test it.
#include <Python.h>

#include "pyrt/pyrt.h"

#include <pthread.h>
#include <stdatomic.h>

#include "testing.h"

static atomic_int finalized;
static atomic_int entered;

static void meet(void)
{
    struct pyrt_attach attach = {0};
    CHECK_STATUS(pyrt_attach_assume(&attach), PYRT_OK);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
}

static void test_main_view_before_the_first_interpreter(void)
{
    struct pyrt_view *view = NULL;
    struct pyrt_guard *guard = NULL;
    struct pyrt_ensure ensure = {0};
    CHECK_STATUS(pyrt_view_from_current(&view), PYRT_NOT_ATTACHED);
    CHECK_STATUS(pyrt_guard_from_current(&guard), PYRT_NOT_ATTACHED);
    CHECK_STATUS(pyrt_view_from_main(&view), PYRT_OK);
    CHECK_STATUS(pyrt_guard_from_view(&guard, view), PYRT_NOT_INITIALIZED);
    CHECK_STATUS(pyrt_ensure_begin_view(&ensure, view), PYRT_NOT_INITIALIZED);
    testing_initialize();
    meet();
    CHECK_STATUS(pyrt_guard_from_view(&guard, view), PYRT_OK);
    CHECK_STATUS(pyrt_ensure_begin(&ensure, guard), PYRT_OK);
    CHECK_STATUS(pyrt_ensure_end(&ensure), PYRT_OK);
    pyrt_guard_close(guard);
    CHECK(Py_FinalizeEx() == 0);
    enum pyrt_status status = pyrt_guard_from_view(&guard, view);
    CHECK(status == PYRT_FINALIZING || status == PYRT_GONE);
    CHECK(pyrt_ensure_begin_view(&ensure, view) == status);
    pyrt_view_close(view);
}

static void test_null_is_refused(void)
{
    CHECK_STATUS(pyrt_guard_from_current(NULL), PYRT_INVALID);
    CHECK_STATUS(pyrt_guard_from_view(NULL, NULL), PYRT_INVALID);
    CHECK_STATUS(pyrt_view_from_current(NULL), PYRT_INVALID);
    CHECK_STATUS(pyrt_view_from_main(NULL), PYRT_INVALID);
    CHECK_STATUS(pyrt_ensure_begin(NULL, NULL), PYRT_INVALID);
    CHECK_STATUS(pyrt_ensure_begin_view(NULL, NULL), PYRT_INVALID);
    CHECK_STATUS(pyrt_ensure_end(NULL), PYRT_INVALID);
    pyrt_guard_close(NULL);
    pyrt_view_close(NULL);
}

// Three nested ensures, an attach between, on a thread that Finalize must wait for.
static void *worker_with_guard(void *memory)
{
    struct pyrt_guard *guard = memory;
    struct pyrt_ensure ensures[3] = {{{0}}};
    const PyThreadState *first = NULL;
    for (int i = 0; i < 3; i++) {
        CHECK_STATUS(pyrt_ensure_begin(&ensures[i], guard), PYRT_OK);
        CHECK(first == NULL || PyThreadState_Get() == first);
        first = PyThreadState_Get();
    }
    struct pyrt_attach attach = {0};
    CHECK_STATUS(pyrt_attach_try(&attach), PYRT_OK);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    CHECK_STATUS(pyrt_ensure_end(&ensures[0]), PYRT_OUT_OF_ORDER);
    atomic_store(&entered, 1);
    struct pyrt_detach detach = {0};
    CHECK_STATUS(pyrt_detach_begin(&detach), PYRT_OK);
    for (int i = 0; i < 20; i++) {
        sched_yield();
    }
    CHECK_STATUS(pyrt_detach_end(&detach), PYRT_OK);
    for (int i = 2; i >= 0; i--) {
        CHECK(PyThreadState_Get() == first);
        CHECK_STATUS(pyrt_ensure_end(&ensures[i]), PYRT_OK);
    }
    CHECK(PyThreadState_GetUnchecked() == NULL);
    CHECK(!atomic_load(&finalized));
    pyrt_guard_close(guard);
    return NULL;
}

static void *worker_with_view(void *view)
{
    struct pyrt_ensure ensure = {0};
    CHECK_STATUS(pyrt_ensure_begin_view(&ensure, view), PYRT_OK);
    pyrt_view_close(view);
    atomic_store(&entered, 1);
    for (int i = 0; i < 20; i++) {
        CHECK(PyRun_SimpleString("sum(range(100))") == 0);
    }
    CHECK(!atomic_load(&finalized));
    CHECK_STATUS(pyrt_ensure_end(&ensure), PYRT_OK);
    return NULL;
}

static void finalization_waits(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    atomic_store(&entered, 0);
    atomic_store(&finalized, 0);
    CHECK(pthread_create(&thread, NULL, body, argument) == 0);
    PyThreadState *tstate = PyEval_SaveThread();
    while (!atomic_load(&entered)) {
        sched_yield();
    }
    PyEval_RestoreThread(tstate);
    CHECK(Py_FinalizeEx() == 0);
    atomic_store(&finalized, 1);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void test_finalization_waits_for_guards(void)
{
    struct pyrt_guard *guard = NULL;
    struct pyrt_view *view = NULL;
    testing_initialize();
    CHECK_STATUS(pyrt_guard_from_current(&guard), PYRT_OK);
    finalization_waits(worker_with_guard, guard);
    testing_initialize();
    CHECK_STATUS(pyrt_view_from_current(&view), PYRT_OK);
    finalization_waits(worker_with_view, view);
}

static void test_many_guards_in_any_order(void)
{
    struct pyrt_guard *guards[100] = {NULL};
    uint64_t seed = 42;
    for (int i = 0; i < 100; i++) {
        CHECK_STATUS(pyrt_guard_from_current(&guards[i]), PYRT_OK);
    }
    for (int left = 100; left > 0; left--) {
        uint32_t which = testing_random(&seed, (uint32_t)left);
        pyrt_guard_close(guards[which]);
        guards[which] = guards[left - 1];
    }
}

static void *reuse_of_a_detached_state(void *memory)
{
    struct pyrt_guard *guard = memory;
    struct pyrt_ensure ensure = {0};
    PyGILState_STATE state = PyGILState_Ensure();
    PyThreadState *mine = PyEval_SaveThread();
    CHECK_STATUS(pyrt_ensure_begin(&ensure, guard), PYRT_OK);
    CHECK(PyThreadState_Get() == mine);
    CHECK_STATUS(pyrt_ensure_end(&ensure), PYRT_OK);
    CHECK(PyThreadState_GetUnchecked() == NULL);
    PyEval_RestoreThread(mine);
    CHECK_STATUS(pyrt_ensure_begin(&ensure, guard), PYRT_OK);
    CHECK(PyThreadState_Get() == mine);
    CHECK_STATUS(pyrt_ensure_end(&ensure), PYRT_OK);
    CHECK(PyThreadState_Get() == mine); // attached stays attached
    PyGILState_Release(state);
    return NULL;
}

// A, B, A: a new state each time, and each is restored.
static void test_ensures_across_interpreters(void)
{
    struct pyrt_interp interp = {0};
    struct pyrt_activate inside = {0};
    struct pyrt_guard *guards[2] = {NULL};
    struct pyrt_view *view = NULL;
    CHECK_STATUS(pyrt_interp_create(&interp, NULL), PYRT_OK);
    CHECK_STATUS(pyrt_guard_from_current(&guards[0]), PYRT_OK);
    CHECK_STATUS(pyrt_activate_begin(&inside, &interp), PYRT_OK);
    CHECK_STATUS(pyrt_guard_from_current(&guards[1]), PYRT_OK);
    CHECK_STATUS(pyrt_view_from_current(&view), PYRT_OK);
    CHECK_STATUS(pyrt_activate_end(&inside), PYRT_OK);
    struct pyrt_ensure ensures[3] = {{{0}}};
    const PyThreadState *states[4] = {PyThreadState_Get()};
    for (int i = 0; i < 3; i++) {
        CHECK_STATUS(pyrt_ensure_begin(&ensures[i], guards[(i + 1) % 2]), PYRT_OK);
        states[i + 1] = PyThreadState_Get();
        CHECK(states[i + 1] != states[i]);
    }
    CHECK(states[2] != states[0] && states[3] != states[1]);
    for (int i = 2; i >= 0; i--) {
        CHECK_STATUS(pyrt_ensure_end(&ensures[i]), PYRT_OK);
        CHECK(PyThreadState_Get() == states[i]);
    }
    struct pyrt_ensure by_view = {0};
    CHECK_STATUS(pyrt_ensure_begin_view(&by_view, view), PYRT_OK);
    CHECK(PyInterpreterState_GetID(PyInterpreterState_Get()) == pyrt_interp_id(&interp));
    CHECK_STATUS(pyrt_ensure_end(&by_view), PYRT_OK);
    CHECK_STATUS(pyrt_interp_destroy(&interp), PYRT_BUSY);
    pyrt_guard_close(guards[1]);
    CHECK_STATUS(pyrt_interp_destroy(&interp), PYRT_OK);
    enum pyrt_status status = pyrt_guard_from_view(&guards[1], view);
    CHECK(status == PYRT_GONE || status == PYRT_FINALIZING);
    CHECK(pyrt_ensure_begin_view(&by_view, view) == status);
    pyrt_view_close(view);
    pyrt_guard_close(guards[0]);
}

static struct pyrt_guard *destructor_guard;
static int destructors_run;

static void on_destroy(PyObject *capsule)
{
    (void)capsule;
    struct pyrt_ensure ensure = {0};
    CHECK_STATUS(pyrt_ensure_begin(&ensure, destructor_guard), PYRT_OK);
    CHECK_STATUS(pyrt_ensure_end(&ensure), PYRT_OK);
    destructors_run++;
}

// The thread state's dictionary dies when the state is cleared; its destructor ensures again.
static void *release_with_destructor(void *unused)
{
    (void)unused;
    struct pyrt_ensure ensure = {0};
    CHECK_STATUS(pyrt_ensure_begin(&ensure, destructor_guard), PYRT_OK);
    PyObject *capsule = PyCapsule_New(&ensure, NULL, on_destroy);
    PyObject *dict = PyThreadState_GetDict();
    CHECK(capsule != NULL && dict != NULL && PyDict_SetItemString(dict, "late", capsule) == 0);
    Py_DECREF(capsule);
    CHECK_STATUS(pyrt_ensure_end(&ensure), PYRT_OK);
    CHECK(destructors_run == 1);
    return NULL;
}

int main(int argc, char **argv)
{
    testing_path(argc, argv);
    test_null_is_refused();
    test_main_view_before_the_first_interpreter();
    test_finalization_waits_for_guards();
    testing_initialize();
    test_many_guards_in_any_order();
    CHECK_STATUS(pyrt_guard_from_current(&destructor_guard), PYRT_OK);
    testing_in_thread_detached(reuse_of_a_detached_state, destructor_guard);
    testing_in_thread_detached(release_with_destructor, NULL);
    pyrt_guard_close(destructor_guard);
    test_ensures_across_interpreters();
    CHECK(Py_FinalizeEx() == 0);
    return 0;
}
