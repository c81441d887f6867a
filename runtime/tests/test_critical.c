// SPDX-License-Identifier: Apache-2.0
//
// test_critical: sections as CPython's test_critical_sections and PyO3's tests use them, natively; and their misuse.
#include <Python.h>

#include "pyrt/pyrt.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "testing.h"

#define THREADS 4
#define ROUNDS 2000

static PyObject *objects[3];
static PyMutex mutexes[3];
static long totals[3]; // each pair's sum is under its two locks
static atomic_int go;

static void test_lock_and_unlock(void)
{
    struct pyrt_critical section = {0};
    CHECK_STATUS(pyrt_critical_end(&section), PYRT_NOT_LIVE);
    CHECK_STATUS(pyrt_critical_begin(&section, objects[0]), PYRT_OK);
    CHECK_STATUS(pyrt_critical_begin(&section, objects[0]), PYRT_ALREADY_LIVE);
    CHECK_STATUS(pyrt_critical_end(&section), PYRT_OK);
    CHECK_STATUS(pyrt_critical_begin_two(&section, objects[0], objects[1]), PYRT_OK);
    CHECK_STATUS(pyrt_critical_end(&section), PYRT_OK);
    CHECK_STATUS(pyrt_critical_begin_two(&section, objects[0], objects[0]), PYRT_OK);
    CHECK_STATUS(pyrt_critical_end(&section), PYRT_OK);
    CHECK_STATUS(pyrt_critical_begin(&section, NULL), PYRT_INVALID);
    CHECK_STATUS(pyrt_critical_begin_two(&section, objects[0], NULL), PYRT_INVALID);
}

// The same lock again inside, single and double, suspended by a detach in between.
static void test_nesting_and_detaching(void)
{
    struct pyrt_attach attach = {0};
    struct pyrt_critical outer = {0};
    struct pyrt_critical inner = {0};
    struct pyrt_detach detach = {0};
    CHECK_STATUS(pyrt_attach_assume(&attach), PYRT_OK);
    CHECK_STATUS(pyrt_critical_begin_two(&outer, objects[0], objects[1]), PYRT_OK);
    CHECK_STATUS(pyrt_critical_begin_two(&inner, objects[1], objects[0]), PYRT_OK);
    CHECK_STATUS(pyrt_detach_begin(&detach), PYRT_OK);
    CHECK_STATUS(pyrt_critical_end(&inner), PYRT_NOT_ATTACHED);
    CHECK_STATUS(pyrt_detach_end(&detach), PYRT_OK);
    CHECK_STATUS(pyrt_critical_end(&inner), PYRT_OK);
    CHECK_STATUS(pyrt_critical_begin(&inner, objects[1]), PYRT_OK);
    CHECK_STATUS(pyrt_critical_end(&inner), PYRT_OK);
    PyGC_Collect();
    CHECK_STATUS(pyrt_critical_end(&outer), PYRT_OK);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
}

static void test_mutexes(void)
{
    struct pyrt_critical section = {0};
#if PYRT_CRITICAL_HAS_MUTEX
    CHECK_STATUS(pyrt_critical_begin_mutex(&section, &mutexes[0]), PYRT_OK);
    CHECK_STATUS(pyrt_critical_end(&section), PYRT_OK);
    CHECK_STATUS(pyrt_critical_begin_two_mutexes(&section, &mutexes[1], &mutexes[0]), PYRT_OK);
    CHECK_STATUS(pyrt_critical_end(&section), PYRT_OK);
    CHECK_STATUS(pyrt_critical_begin_two_mutexes(&section, &mutexes[1], &mutexes[1]), PYRT_OK);
    CHECK_STATUS(pyrt_critical_end(&section), PYRT_OK);
#else
    CHECK_STATUS(pyrt_critical_begin_mutex(&section, &mutexes[0]), PYRT_UNSUPPORTED);
    CHECK_STATUS(pyrt_critical_begin_two_mutexes(&section, &mutexes[0], &mutexes[1]), PYRT_UNSUPPORTED);
#endif
    CHECK_STATUS(pyrt_critical_end(&section), PYRT_NOT_LIVE);
}

static void *detached_use(void *unused)
{
    (void)unused;
    struct pyrt_critical section = {0};
    CHECK_STATUS(pyrt_critical_begin(&section, objects[0]), PYRT_NOT_ATTACHED);
    CHECK_STATUS(pyrt_critical_begin_mutex(&section, &mutexes[0]), PYRT_NOT_ATTACHED);
    return NULL;
}

static void *end_of_another(void *section)
{
    struct pyrt_attach attach = {0};
    CHECK_STATUS(pyrt_attach_try(&attach), PYRT_OK);
    CHECK_STATUS(pyrt_critical_end(section), PYRT_WRONG_THREAD);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    return NULL;
}

// With the GIL there is no order to keep.
#ifdef Py_GIL_DISABLED
#define REFUSED PYRT_OUT_OF_ORDER
#else
#define REFUSED PYRT_OK
#endif

static void test_ends_of_what_is_not_innermost(void)
{
    struct pyrt_critical outer = {0};
    struct pyrt_critical inner = {0};
    CHECK_STATUS(pyrt_critical_begin(&outer, objects[0]), PYRT_OK);
    testing_in_thread_detached(end_of_another, &outer);
    CHECK_STATUS(pyrt_critical_begin_two(&inner, objects[1], objects[2]), PYRT_OK);
    CHECK_STATUS(pyrt_critical_end(&outer), REFUSED);
    CHECK_STATUS(pyrt_critical_end(&inner), PYRT_OK);
    CHECK_STATUS(pyrt_critical_end(&outer), REFUSED == PYRT_OK ? PYRT_NOT_LIVE : PYRT_OK);
}

// Every thread moves between two of three objects, in its own order.
static void move(int from, int to)
{
    PYRT_CRITICAL_BEGIN_TWO(objects[from], objects[to]);
    totals[from]--;
    totals[to]++;
    PYRT_CRITICAL_END();
}

static void *mover(void *number)
{
    struct pyrt_attach attach = {0};
    int self = (int)(intptr_t)number;
    uint64_t seed = (uint64_t)self + 1;
    while (!atomic_load(&go)) {
        sched_yield();
    }
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_STATUS(pyrt_attach_try(&attach), PYRT_OK);
        int from = (int)testing_random(&seed, 3);
        int to = (int)testing_random(&seed, 3);
        if (from != to) {
            move(from, to);
        }
        CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    }
    return NULL;
}

static void test_three_objects_keep_their_sum(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, mover, (void *)(intptr_t)i) == 0);
    }
    PyThreadState *tstate = PyEval_SaveThread();
    atomic_store(&go, 1);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    PyEval_RestoreThread(tstate);
    CHECK(totals[0] + totals[1] + totals[2] == 0);
}

int main(int argc, char **argv)
{
    testing_path(argc, argv);
    testing_initialize();
    for (int i = 0; i < 3; i++) {
        objects[i] = PyList_New(0);
        CHECK(objects[i] != NULL);
    }
    test_lock_and_unlock();
    test_nesting_and_detaching();
    test_mutexes();
    testing_in_thread(detached_use, NULL);
    test_ends_of_what_is_not_innermost();
    test_three_objects_keep_their_sum();
    for (int i = 0; i < 3; i++) {
        Py_DECREF(objects[i]);
    }
    CHECK(Py_FinalizeEx() == 0);
    return 0;
}
