// SPDX-License-Identifier: Apache-2.0
//
// test_interp: subinterpreters as pybind11's test_subinterpreter.cpp uses them, and their misuse.
#include <Python.h>

#include "pyrt/pyrt.h"

#include <stdatomic.h>
#include <string.h>

#include "testing.h"

static int64_t here(void)
{
    return PyInterpreterState_GetID(PyInterpreterState_Get());
}

static void test_create_leaves_what_was_attached(void)
{
    struct pyrt_interp interp = {0};
    const PyThreadState *before = PyThreadState_Get();
    CHECK(pyrt_interp_is_empty(&interp) && pyrt_interp_id(&interp) == -1);
    CHECK_STATUS(pyrt_interp_create(&interp, NULL), PYRT_OK);
    CHECK(PyThreadState_Get() == before && pyrt_interp_id(&interp) > 0);
    CHECK_STATUS(pyrt_interp_create(&interp, NULL), PYRT_ALREADY_LIVE);
    CHECK_STATUS(pyrt_interp_destroy(&interp), PYRT_OK);
    CHECK(PyThreadState_Get() == before && pyrt_interp_is_empty(&interp));
    CHECK_STATUS(pyrt_interp_destroy(&interp), PYRT_INVALID);
}

static void test_activation_isolates_and_restores(void)
{
    struct pyrt_interp interp = {0};
    struct pyrt_activate inside = {0};
    PyObject *dict = NULL;
    CHECK_STATUS(pyrt_interp_create(&interp, NULL), PYRT_OK);
    CHECK(PyRun_SimpleString("import sys; sys.here = 'main'") == 0);
    const PyThreadState *before = PyThreadState_Get();
    CHECK_STATUS(pyrt_activate_begin(&inside, &interp), PYRT_OK);
    CHECK(here() == pyrt_interp_id(&interp) && pyrt_is_attached());
    CHECK(PyRun_SimpleString("import sys; assert not hasattr(sys, 'here')") == 0);
    CHECK_STATUS(pyrt_interp_dict(&interp, &dict), PYRT_OK);
    CHECK(dict != NULL);
    struct pyrt_attach attach = {0};
    CHECK_STATUS(pyrt_attach_try(&attach), PYRT_OK);
    CHECK(here() == pyrt_interp_id(&interp));
    CHECK_STATUS(pyrt_activate_end(&inside), PYRT_OUT_OF_ORDER);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    struct pyrt_activate again = {0};
    const PyThreadState *sub = PyThreadState_Get();
    CHECK_STATUS(pyrt_activate_begin(&again, &interp), PYRT_OK);
    CHECK(PyThreadState_Get() == sub);
    CHECK_STATUS(pyrt_activate_end(&again), PYRT_OK);
    CHECK_STATUS(pyrt_interp_destroy(&interp), PYRT_BUSY);
    CHECK_STATUS(pyrt_activate_end(&inside), PYRT_OK);
    CHECK_STATUS(pyrt_activate_end(&inside), PYRT_NOT_LIVE);
    CHECK(PyThreadState_Get() == before && !pyrt_is_attached());
    CHECK_STATUS(pyrt_interp_dict(&interp, &dict), PYRT_MISMATCH);
    CHECK_STATUS(pyrt_interp_destroy(&interp), PYRT_OK);
}

// main, sub, main again, sub again: each level is restored as it was.
static void test_interpreters_nest(void)
{
    struct pyrt_interp interp = {0};
    struct pyrt_interp main_interp = {0};
    struct pyrt_activate levels[4] = {{0}};
    const PyThreadState *states[5];
    CHECK_STATUS(pyrt_interp_create(&interp, NULL), PYRT_OK);
    CHECK_STATUS(pyrt_interp_current(&main_interp), PYRT_OK);
    states[0] = PyThreadState_Get();
    for (int i = 0; i < 4; i++) {
        CHECK_STATUS(pyrt_activate_begin(&levels[i], i % 2 == 0 ? &interp : &main_interp), PYRT_OK);
        states[i + 1] = PyThreadState_Get();
        struct pyrt_detach detach = {0};
        CHECK_STATUS(pyrt_detach_begin(&detach), PYRT_OK);
        CHECK(!pyrt_is_attached());
        CHECK_STATUS(pyrt_detach_end(&detach), PYRT_OK);
        CHECK(PyThreadState_Get() == states[i + 1]);
    }
    for (int i = 0; i < 4; i++) {
        CHECK(states[i] != states[i + 1]);
    }
    for (int i = 3; i >= 0; i--) {
        CHECK(here() == (i % 2 == 0 ? pyrt_interp_id(&interp) : 0));
        CHECK_STATUS(pyrt_activate_end(&levels[i]), PYRT_OK);
        CHECK(PyThreadState_Get() == states[i]);
    }
    CHECK_STATUS(pyrt_interp_destroy(&main_interp), PYRT_OK);
    CHECK_STATUS(pyrt_interp_destroy(&interp), PYRT_OK);
}

// On a thread that Python has never seen: create, use, destroy, and nothing is left.
static void *create_detached(void *unused)
{
    (void)unused;
    struct pyrt_interp interp = {0};
    struct pyrt_interp moved = {0};
    struct pyrt_activate inside = {0};
    CHECK(PyThreadState_GetUnchecked() == NULL);
    CHECK_STATUS(pyrt_interp_create(&interp, NULL), PYRT_OK);
    CHECK(PyThreadState_GetUnchecked() == NULL);
    CHECK_STATUS(pyrt_interp_move(&moved, &interp), PYRT_OK);
    CHECK(pyrt_interp_is_empty(&interp));
    CHECK_STATUS(pyrt_activate_begin(&inside, &moved), PYRT_OK);
    CHECK(PyRun_SimpleString("import sys") == 0);
    struct pyrt_attach attach = {0};
    struct pyrt_detach detach = {0};
    CHECK_STATUS(pyrt_detach_begin(&detach), PYRT_OK);
    enum pyrt_status status = pyrt_attach_try(&attach); // the main interpreter, while the other is suspended
    if (status == PYRT_OK) {
        CHECK(here() == 0);
        CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    } else {
        CHECK_STATUS(status, PYRT_MISMATCH); // up to 3.14: PyGILState_Ensure would take the wrong one
    }
    CHECK_STATUS(pyrt_detach_end(&detach), PYRT_OK);
    CHECK(here() == pyrt_interp_id(&moved));
    CHECK_STATUS(pyrt_activate_end(&inside), PYRT_OK);
    CHECK(PyThreadState_GetUnchecked() == NULL);
    CHECK_STATUS(pyrt_interp_destroy(&moved), PYRT_OK);
    CHECK(PyThreadState_GetUnchecked() == NULL);
    return NULL;
}

static void *destroy_elsewhere(void *interp)
{
    struct pyrt_activate inside = {0};
    CHECK_STATUS(pyrt_activate_begin(&inside, interp), PYRT_OK);
    CHECK_STATUS(pyrt_activate_end(&inside), PYRT_OK);
    CHECK_STATUS(pyrt_interp_destroy(interp), PYRT_OK);
    return NULL;
}

static void test_destroy_on_another_thread(void)
{
    struct pyrt_interp interp = {0};
    CHECK_STATUS(pyrt_interp_create(&interp, NULL), PYRT_OK);
    testing_in_thread_detached(destroy_elsewhere, &interp);
    CHECK(pyrt_interp_is_empty(&interp));
}

static void *not_mine(void *kept)
{
    struct pyrt_activate inside = {0};
    CHECK_STATUS(pyrt_activate_begin_with(&inside, kept), PYRT_WRONG_THREAD);
    CHECK_STATUS(pyrt_tstate_close(kept), PYRT_WRONG_THREAD);
    return NULL;
}

static void test_kept_states_are_reused(void)
{
    struct pyrt_interp interps[2] = {{0}};
    struct pyrt_tstate kept[2] = {{0}};
    const PyThreadState *states[2] = {NULL};
    for (int i = 0; i < 2; i++) {
        CHECK_STATUS(pyrt_interp_create(&interps[i], NULL), PYRT_OK);
        CHECK_STATUS(pyrt_tstate_open(&kept[i], &interps[i]), PYRT_OK);
        CHECK_STATUS(pyrt_tstate_open(&kept[i], &interps[i]), PYRT_ALREADY_LIVE);
    }
    for (int round = 0; round < 6; round++) {
        struct pyrt_activate inside = {0};
        int which = round % 2;
        CHECK_STATUS(pyrt_activate_begin_with(&inside, &kept[which]), PYRT_OK);
        CHECK(here() == pyrt_interp_id(&interps[which]));
        CHECK(round < 2 || states[which] == PyThreadState_Get());
        states[which] = PyThreadState_Get();
        CHECK_STATUS(pyrt_tstate_close(&kept[which]), PYRT_BUSY);
        CHECK_STATUS(pyrt_activate_end(&inside), PYRT_OK);
    }
    CHECK(states[0] != states[1]);
    struct pyrt_activate transient = {0};
    CHECK_STATUS(pyrt_activate_begin(&transient, &interps[0]), PYRT_OK);
    CHECK(PyThreadState_Get() != states[0]);
    CHECK_STATUS(pyrt_activate_end(&transient), PYRT_OK);
    testing_in_thread_detached(not_mine, &kept[0]);
    CHECK_STATUS(pyrt_interp_destroy(&interps[0]), PYRT_BUSY);
    for (int i = 0; i < 2; i++) {
        CHECK_STATUS(pyrt_tstate_close(&kept[i]), PYRT_OK);
        CHECK_STATUS(pyrt_tstate_close(&kept[i]), PYRT_NOT_LIVE);
        CHECK_STATUS(pyrt_interp_destroy(&interps[i]), PYRT_OK);
    }
}

static atomic_int destroyed;

static void on_destroy(PyObject *capsule)
{
    (void)capsule;
    atomic_fetch_add(&destroyed, 1);
}

// A subinterpreter's pool: queued from outside, drained by the next activation, dropped when it has ended.
static void test_pool_of_a_subinterpreter(void)
{
    struct pyrt_interp interp = {0};
    struct pyrt_activate inside = {0};
    struct pyrt_pool_stats stats;
    CHECK_STATUS(pyrt_interp_create(&interp, NULL), PYRT_OK);
    CHECK_STATUS(pyrt_activate_begin(&inside, &interp), PYRT_OK);
    struct pyrt_pool *pool = pyrt_pool_open();
    PyObject *objects[4];
    for (int i = 0; i < 4; i++) {
        objects[i] = PyCapsule_New(objects, NULL, on_destroy);
        CHECK(pool != NULL && objects[i] != NULL);
    }
    atomic_store(&destroyed, 0);
    CHECK_STATUS(pyrt_pool_decref_in(pool, objects[0]), PYRT_OK);
    CHECK(atomic_load(&destroyed) == 1);
    CHECK_STATUS(pyrt_activate_end(&inside), PYRT_OK);
    CHECK_STATUS(pyrt_pool_decref_in(pool, objects[1]), PYRT_OK);
    struct pyrt_attach attach = {0};
    CHECK_STATUS(pyrt_attach_try(&attach), PYRT_OK); // the main interpreter: not this pool
    CHECK_STATUS(pyrt_pool_decref_in(pool, objects[2]), PYRT_OK);
    CHECK(atomic_load(&destroyed) == 1);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    CHECK_STATUS(pyrt_activate_begin(&inside, &interp), PYRT_OK);
    CHECK(atomic_load(&destroyed) >= 1);
    pyrt_pool_stats_in(pool, &stats);
    CHECK(stats.queued == 2 && stats.drained == 2 && stats.peak == 2);
    CHECK_STATUS(pyrt_activate_end(&inside), PYRT_OK);
    CHECK_STATUS(pyrt_interp_destroy(&interp), PYRT_OK);
    int before = atomic_load(&destroyed);
    CHECK_STATUS(pyrt_pool_decref_in(pool, objects[3]), PYRT_FINALIZING);
    CHECK(atomic_load(&destroyed) == before);
    pyrt_pool_stats_in(pool, &stats);
    CHECK(stats.dropped == 1 && stats.queued == 3);
    pyrt_pool_close(pool);
}

// A thread state of other code, as a native library would leave it behind.
static void test_foreign_thread_states_make_it_busy(void)
{
    struct pyrt_interp interp = {0};
    struct pyrt_activate inside = {0};
    CHECK_STATUS(pyrt_interp_create(&interp, NULL), PYRT_OK);
    CHECK_STATUS(pyrt_activate_begin(&inside, &interp), PYRT_OK);
    PyThreadState *foreign = PyThreadState_New(PyInterpreterState_Get());
    CHECK(foreign != NULL);
    CHECK_STATUS(pyrt_activate_end(&inside), PYRT_OK);
    CHECK_STATUS(pyrt_interp_destroy(&interp), PYRT_BUSY);
    // It is swapped in to be cleared: without the GIL, clearing another state than the attached one trips an assertion
    // of the allocator (3.14.7, 3.15.0rc2: _PyMem_mi_page_reclaimed).
    PyThreadState *before = PyThreadState_Swap(foreign);
    PyThreadState_Clear(foreign);
    PyThreadState_DeleteCurrent();
    PyThreadState_Swap(before);
    CHECK_STATUS(pyrt_interp_destroy(&interp), PYRT_OK);
}

static void test_threads_of_python_are_waited_for(void)
{
    struct pyrt_interp interp = {0};
    struct pyrt_activate inside = {0};
    CHECK_STATUS(pyrt_interp_create(&interp, NULL), PYRT_OK);
    CHECK_STATUS(pyrt_activate_begin(&inside, &interp), PYRT_OK);
    CHECK(PyRun_SimpleString("import threading, time\n"
                             "threading.Thread(target=time.sleep, args=(0.05,)).start()\n") == 0);
    CHECK_STATUS(pyrt_activate_end(&inside), PYRT_OK);
    CHECK_STATUS(pyrt_interp_destroy(&interp), PYRT_OK);
}

// Nobody waits for those: the interpreter stays until they have gone by themselves.
static void test_daemon_threads_make_it_busy(void)
{
    struct pyrt_interp interp = {0};
    struct pyrt_activate inside = {0};
    PyInterpreterConfig config;
    pyrt_interp_defaults(&config);
    config.allow_daemon_threads = 1;
    CHECK_STATUS(pyrt_interp_create(&interp, &config), PYRT_OK);
    CHECK_STATUS(pyrt_activate_begin(&inside, &interp), PYRT_OK);
    CHECK(PyRun_SimpleString("import threading\n"
                             "gate = threading.Event()\n"
                             "guest = threading.Thread(target=gate.wait, daemon=True)\n"
                             "guest.start()\n") == 0);
    CHECK_STATUS(pyrt_activate_end(&inside), PYRT_OK);
    CHECK_STATUS(pyrt_interp_destroy(&interp), PYRT_BUSY);
    CHECK_STATUS(pyrt_activate_begin(&inside, &interp), PYRT_OK);
    CHECK(PyRun_SimpleString("gate.set()\n"
                             "guest.join()\n") == 0);
    CHECK_STATUS(pyrt_activate_end(&inside), PYRT_OK);
    CHECK_STATUS(pyrt_interp_destroy(&interp), PYRT_OK);
}

static void test_shared_gil_and_refused_configurations(void)
{
    struct pyrt_interp interp = {0};
    struct pyrt_activate inside = {0};
    PyInterpreterConfig config;
    pyrt_interp_defaults(&config);
    config.gil = PyInterpreterConfig_SHARED_GIL;
    CHECK_STATUS(pyrt_interp_create(&interp, &config), PYRT_OK);
    CHECK_STATUS(pyrt_activate_begin(&inside, &interp), PYRT_OK);
    CHECK_STATUS(pyrt_activate_end(&inside), PYRT_OK);
    CHECK_STATUS(pyrt_interp_destroy(&interp), PYRT_OK);
    config.gil = 77;
    const PyThreadState *before = PyThreadState_Get();
    CHECK_STATUS(pyrt_interp_create(&interp, &config), PYRT_INIT_FAILED);
    CHECK(PyThreadState_Get() == before && pyrt_interp_is_empty(&interp));
}

static void test_handles_outlive_interpreters(void)
{
    struct pyrt_interp main_interp = {0};
    struct pyrt_tstate kept = {0};
    struct pyrt_activate inside = {0};
    CHECK_STATUS(pyrt_interp_main(&main_interp), PYRT_OK);
    CHECK_STATUS(pyrt_tstate_open(&kept, &main_interp), PYRT_OK);
    CHECK(Py_FinalizeEx() == 0);
    CHECK_STATUS(pyrt_activate_begin(&inside, &main_interp), PYRT_GONE);
    CHECK_STATUS(pyrt_activate_begin_with(&inside, &kept), PYRT_GONE);
    testing_initialize();
    CHECK_STATUS(pyrt_activate_begin(&inside, &main_interp), PYRT_GONE);
    CHECK_STATUS(pyrt_tstate_close(&kept), PYRT_GONE);
    CHECK_STATUS(pyrt_interp_destroy(&main_interp), PYRT_OK);
    CHECK_STATUS(pyrt_interp_main(&main_interp), PYRT_NOT_INITIALIZED);
}

int main(int argc, char **argv)
{
    testing_path(argc, argv);
    testing_initialize();
    test_create_leaves_what_was_attached();
    test_activation_isolates_and_restores();
    test_interpreters_nest();
    testing_in_thread_detached(create_detached, NULL);
    test_destroy_on_another_thread();
    test_kept_states_are_reused();
    test_pool_of_a_subinterpreter();
    test_foreign_thread_states_make_it_busy();
    test_threads_of_python_are_waited_for();
    test_daemon_threads_make_it_busy();
    test_shared_gil_and_refused_configurations();
    test_handles_outlive_interpreters();
    CHECK(Py_FinalizeEx() == 0);
    return 0;
}
