// SPDX-License-Identifier: Apache-2.0
//
// test_stress: native threads attach in a loop while the main thread finalizes, over many initializations. CPython's
// test_concurrent_finalization_stress (4 threads, 1000 rounds, 50 initializations), for pyrt_attach_try, and again for
// guards, views and ensures.
//
// Before 3.15 the runtime must have met the interpreter before the threads start (pyrt/attach.h says why).
#include <Python.h>

#include "pyrt/pyrt.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "testing.h"

#define THREADS 4
#define ROUNDS 1000

static atomic_long running;
static atomic_long attached;
static atomic_long refused;

static void *hammer(void *unused)
{
    (void)unused;
    atomic_fetch_add(&running, 1);
    for (int i = 0; i < ROUNDS; i++) {
        struct pyrt_attach attach = {0};
        enum pyrt_status status = pyrt_attach_try(&attach);
        if (status != PYRT_OK) {
            CHECK(status == PYRT_FINALIZING || status == PYRT_NOT_INITIALIZED);
            atomic_fetch_add(&refused, 1);
            return NULL;
        }
        struct pyrt_attach nested = {0};
        CHECK_STATUS(pyrt_attach_try(&nested), PYRT_OK);
        PyObject *object = PyList_New(1);
        CHECK(object != NULL);
        CHECK_STATUS(pyrt_pool_decref(object), PYRT_OK);
        CHECK_STATUS(pyrt_attach_release(&nested), PYRT_OK);
        if (i % 16 == 0) {
            struct pyrt_detach detach = {0};
            CHECK_STATUS(pyrt_detach_begin(&detach), PYRT_OK);
            CHECK_STATUS(pyrt_detach_end(&detach), PYRT_OK);
        }
        CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
        atomic_fetch_add(&attached, 1);
    }
    return NULL;
}

static void guarded(struct pyrt_guard *guard)
{
    struct pyrt_ensure nested = {0};
    PyGILState_STATE gilstate = PyGILState_Ensure();
    PyGILState_Release(gilstate);
    CHECK_STATUS(pyrt_ensure_begin(&nested, guard), PYRT_OK);
    CHECK_STATUS(pyrt_ensure_end(&nested), PYRT_OK);
}

// What upstream's threads do: a view, an ensure from it, PyGILState and a guard inside, each closed in its order.
static void *hammer_guards(void *unused)
{
    (void)unused;
    atomic_fetch_add(&running, 1);
    for (int i = 0; i < ROUNDS; i++) {
        struct pyrt_view *view = NULL;
        struct pyrt_guard *guard = NULL;
        struct pyrt_ensure ensure = {0};
        CHECK_STATUS(pyrt_view_from_main(&view), PYRT_OK);
        enum pyrt_status status = pyrt_ensure_begin_view(&ensure, view);
        if (status == PYRT_OK) {
            CHECK_STATUS(pyrt_guard_from_view(&guard, view), PYRT_OK);
            guarded(guard);
            CHECK_STATUS(pyrt_ensure_end(&ensure), PYRT_OK);
            pyrt_guard_close(guard);
        }
        pyrt_view_close(view);
        if (status != PYRT_OK) {
            CHECK(status == PYRT_FINALIZING || status == PYRT_GONE || status == PYRT_NOT_INITIALIZED);
            atomic_fetch_add(&refused, 1);
            return NULL;
        }
        atomic_fetch_add(&attached, 1);
    }
    return NULL;
}

// Finalizes once `begun`, which threads count up, has grown.
static void cycle(void *(*body)(void *), atomic_long *begun)
{
    struct pyrt_attach attach = {0};
    testing_initialize();
    CHECK_STATUS(pyrt_attach_assume(&attach), PYRT_OK);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    pthread_t threads[THREADS];
    long before = atomic_load(begun);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, body, NULL) == 0);
    }
    PyThreadState *tstate = PyEval_SaveThread();
    while (atomic_load(begun) == before) {
    }
    PyEval_RestoreThread(tstate);
    CHECK(Py_FinalizeEx() == 0);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
}

int main(int argc, char **argv)
{
    testing_path(argc, argv);
    int cycles = argc > 2 ? atoi(argv[2]) : 50;
    void *(*const bodies[])(void *) = {hammer, hammer_guards};
    for (int which = 0; which < 2; which++) {
        atomic_store(&attached, 0);
        atomic_store(&refused, 0);
        // By turns in the middle of many attaches, and beside the first ones, of which luck decides whether any
        // gets in.
        for (int i = 0; i < cycles; i++) {
            cycle(bodies[which], i % 2 == 0 ? &attached : &running);
        }
        printf("%s, %d initializations: %ld times in, %ld refusals\n", which == 0 ? "attaches" : "guards", cycles,
               atomic_load(&attached), atomic_load(&refused));
        CHECK(atomic_load(&attached) > 0);
    }
    return 0;
}
