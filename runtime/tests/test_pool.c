// SPDX-License-Identifier: Apache-2.0
//
// test_pool: when a reference is dropped, by whom, and what the totals say; the three policies; the end.
#include <Python.h>

#include "pyrt/pyrt.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "testing.h"

static void *drop(void *object)
{
    CHECK_STATUS(pyrt_pool_decref(object), PYRT_OK);
    return NULL;
}

static uint64_t waiting(void)
{
    struct pyrt_pool_stats stats;
    pyrt_pool_stats(&stats);
    return stats.queued - stats.drained - stats.dropped;
}

// PyO3's test_pyobject_drop_attached and _detached, and the drain by attach, by assume and by resume.
static void test_attached_at_once_detached_later(void)
{
    struct pyrt_attach attach = {0};
    struct pyrt_attach inner = {0};
    struct pyrt_detach detach = {0};
    PyObject *list = PyList_New(0);
    CHECK_STATUS(pyrt_attach_assume(&attach), PYRT_OK);
    CHECK_STATUS(pyrt_pool_decref(Py_NewRef(list)), PYRT_OK);
    CHECK(Py_REFCNT(list) == 1 && waiting() == 0);
    for (int way = 0; way < 4; way++) {
        Py_INCREF(list);
        testing_in_thread(drop, list);
        CHECK(Py_REFCNT(list) == 2 && waiting() == 1);
        if (way == 0) {
            CHECK_STATUS(pyrt_attach_try(&inner), PYRT_OK);
            CHECK_STATUS(pyrt_attach_release(&inner), PYRT_OK);
        } else if (way == 1) {
            CHECK_STATUS(pyrt_attach_assume(&inner), PYRT_OK);
            CHECK_STATUS(pyrt_attach_release(&inner), PYRT_OK);
        } else if (way == 2) {
            CHECK_STATUS(pyrt_detach_begin(&detach), PYRT_OK);
            CHECK_STATUS(pyrt_detach_end(&detach), PYRT_OK);
        } else {
            CHECK_STATUS(pyrt_pool_drain(), PYRT_OK);
        }
        CHECK(Py_REFCNT(list) == 1 && waiting() == 0);
    }
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    Py_DECREF(list);
}

static void test_traverse_defers(void)
{
    struct pyrt_attach attach = {0};
    struct pyrt_forbid forbid = {0};
    PyObject *list = PyList_New(0);
    CHECK_STATUS(pyrt_attach_assume(&attach), PYRT_OK);
    CHECK_STATUS(pyrt_forbid_begin(&forbid), PYRT_OK);
    CHECK_STATUS(pyrt_pool_decref(Py_NewRef(list)), PYRT_OK);
    CHECK(Py_REFCNT(list) == 2);
    CHECK_STATUS(pyrt_forbid_end(&forbid), PYRT_OK);
    CHECK(Py_REFCNT(list) == 2 && waiting() == 1);
    CHECK_STATUS(pyrt_pool_drain(), PYRT_OK);
    CHECK(Py_REFCNT(list) == 1);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    Py_DECREF(list);
}

#define DROPPERS 20 // more than a pool has lists
#define EACH 8000

static void *drop_many(void *object)
{
    for (int i = 0; i < EACH; i++) {
        CHECK_STATUS(pyrt_pool_decref(object), PYRT_OK);
    }
    return NULL;
}

// None lost, none dropped twice, while this thread drains.
static void test_many_droppers_beside_a_drain(void)
{
    struct pyrt_attach attach = {0};
    struct pyrt_pool_stats before;
    struct pyrt_pool_stats after;
    pthread_t threads[DROPPERS];
    PyObject *list = PyList_New(0);
    for (int i = 0; i < DROPPERS * EACH; i++) {
        Py_INCREF(list);
    }
    pyrt_pool_stats(&before);
    CHECK_STATUS(pyrt_attach_assume(&attach), PYRT_OK);
    for (int i = 0; i < DROPPERS; i++) {
        CHECK(pthread_create(&threads[i], NULL, drop_many, list) == 0);
    }
    for (int i = 0; i < 1000; i++) {
        CHECK_STATUS(pyrt_pool_drain(), PYRT_OK);
    }
    for (int i = 0; i < DROPPERS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    CHECK_STATUS(pyrt_pool_drain(), PYRT_OK);
    pyrt_pool_stats(&after);
    CHECK(after.queued - before.queued == DROPPERS * EACH);
    CHECK(after.drained - before.drained == DROPPERS * EACH);
    CHECK(after.peak >= 1 && after.peak <= DROPPERS * EACH && after.leaked == 0);
    CHECK(Py_REFCNT(list) == 1);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    Py_DECREF(list);
}

#define IN_ORDER 1000 // more than the first place of a list, and than a few chunks, hold

static int order[IN_ORDER];
static int next_in_order;

static void on_destroy_in_order(PyObject *capsule)
{
    const int *number = PyCapsule_GetPointer(capsule, NULL);
    CHECK(number == &order[next_in_order]);
    next_in_order++;
}

static void *drop_all(void *objects)
{
    for (int i = 0; i < IN_ORDER; i++) {
        drop(((PyObject **)objects)[i]);
    }
    return NULL;
}

// What one thread drops is dropped in its order.
static void test_order_of_a_thread(void)
{
    struct pyrt_attach attach = {0};
    struct pyrt_pool_stats stats;
    PyObject *objects[IN_ORDER];
    for (int i = 0; i < IN_ORDER; i++) {
        objects[i] = PyCapsule_New(&order[i], NULL, on_destroy_in_order);
        CHECK(objects[i] != NULL);
    }
    testing_in_thread(drop_all, objects);
    CHECK(waiting() == IN_ORDER && next_in_order == 0);
    CHECK_STATUS(pyrt_attach_assume(&attach), PYRT_OK);
    CHECK(waiting() == 0 && next_in_order == IN_ORDER);
    pyrt_pool_stats(&stats);
    CHECK(stats.peak >= IN_ORDER);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
}

static void child_that_aborts(void)
{
    freopen("/dev/null", "w", stderr);
    pyrt_pool_set_policy(PYRT_POOL_ABORT);
    pyrt_pool_decref(Py_None);
}

static void test_policies(void)
{
    struct pyrt_pool_stats before;
    struct pyrt_pool_stats after;
    PyObject *list = PyList_New(0);
    pyrt_pool_stats(&before);
    pyrt_pool_set_policy(PYRT_POOL_LEAK);
    Py_INCREF(list);
    testing_in_thread(drop, list);
    pyrt_pool_set_policy(PYRT_POOL_QUEUE);
    pyrt_pool_stats(&after);
    CHECK(after.leaked == before.leaked + 1 && after.queued == before.queued && Py_REFCNT(list) == 2);
    Py_DECREF(list);
    Py_DECREF(list);
    CHECK(testing_in_child(child_that_aborts) == -SIGABRT);
}

static int destroyed;

static void on_destroy(PyObject *capsule)
{
    (void)capsule;
    destroyed++;
}

// Queued before the end: counted. Dropped after it: counted. Neither is touched, nor is Python started again.
static void test_the_end_of_the_interpreter(void)
{
    struct pyrt_attach attach = {0};
    struct pyrt_pool_stats stats;
    PyObject *first = PyCapsule_New(&destroyed, NULL, on_destroy);
    PyObject *second = PyCapsule_New(&destroyed, NULL, on_destroy);
    CHECK_STATUS(pyrt_attach_assume(&attach), PYRT_OK);
    struct pyrt_pool *pool = pyrt_pool_open();
    CHECK(pool != NULL);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    CHECK_STATUS(pyrt_pool_decref(first), PYRT_OK);
    CHECK(Py_FinalizeEx() == 0);
    pyrt_pool_stats_in(pool, &stats);
    CHECK(stats.dropped == 1 && destroyed == 0);
    CHECK_STATUS(pyrt_pool_decref(second), PYRT_FINALIZING);
    pyrt_pool_stats_in(pool, &stats);
    CHECK(stats.dropped == 2 && destroyed == 0 && !Py_IsInitialized());
    testing_initialize();
    CHECK_STATUS(pyrt_attach_assume(&attach), PYRT_OK);
    CHECK_STATUS(pyrt_pool_decref_in(pool, second), PYRT_FINALIZING); // the handle means the old interpreter
    CHECK_STATUS(pyrt_pool_drain(), PYRT_OK);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    pyrt_pool_stats_in(pool, &stats);
    CHECK(stats.dropped == 3 && destroyed == 0);
    pyrt_pool_stats_in(NULL, &stats);
    CHECK(stats.queued == 0);
    pyrt_pool_close(pool);
}

int main(int argc, char **argv)
{
    testing_path(argc, argv);
    testing_initialize();
    test_attached_at_once_detached_later();
    test_traverse_defers();
    test_order_of_a_thread();
    test_many_droppers_beside_a_drain();
    test_policies();
    test_the_end_of_the_interpreter();
    CHECK(Py_FinalizeEx() == 0);
    return 0;
}
