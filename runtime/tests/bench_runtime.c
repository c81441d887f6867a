// SPDX-License-Identifier: Apache-2.0
//
// bench_runtime: what the runtime costs, beside what it stands on, in one process and without the scheduler.
//
//   bench_runtime PATH     one line per measurement: name, nanoseconds of CPU time for one (best of five rounds)
//
// The targets are debug builds: what calls CPython is slower here than in a release build, what does not is the same.
#include <Python.h>

#include "pyrt/pyrt.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "testing.h"

#define ROUNDS 5
#define TIMES 200000
#define THREADS 8

static PyObject *object;

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void measure(const char *name, void (*body)(void), double each)
{
    double best = 1e18;
    for (int i = 0; i < ROUNDS; i++) {
        double begin = now_ns();
        body();
        double taken = now_ns() - begin;
        best = taken < best ? taken : best;
    }
    printf("%-44s %8.2f ns\n", name, best / each);
}

static void nested_attach(void)
{
    struct pyrt_attach attach = {0};
    for (int i = 0; i < TIMES; i++) {
        pyrt_attach_try(&attach);
        pyrt_attach_release(&attach);
    }
}

static void known_attach(void)
{
    struct pyrt_detach detach = {0};
    pyrt_detach_begin(&detach);
    nested_attach();
    pyrt_detach_end(&detach);
}

static void known_gilstate(void)
{
    PyThreadState *tstate = PyEval_SaveThread();
    for (int i = 0; i < TIMES; i++) {
        PyGILState_Release(PyGILState_Ensure());
    }
    PyEval_RestoreThread(tstate);
}

static void decref_plain(void)
{
    for (int i = 0; i < TIMES; i++) {
        Py_INCREF(object);
        Py_DECREF(object);
    }
}

static void decref_pool(void)
{
    for (int i = 0; i < TIMES; i++) {
        Py_INCREF(object);
        pyrt_pool_decref(object);
    }
}

static void *push(void *unused)
{
    (void)unused;
    for (int i = 0; i < TIMES / THREADS; i++) {
        pyrt_pool_decref(object);
    }
    return NULL;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static PyObject *array[TIMES];
static size_t filled;

static void *push_under_mutex(void *unused)
{
    (void)unused;
    for (int i = 0; i < TIMES / THREADS; i++) {
        pthread_mutex_lock(&mutex);
        array[filled++] = object;
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void with_threads(void *(*body)(void *))
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, body, NULL) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
}

static void eight_push(void)
{
    with_threads(push);
}

static void eight_push_under_mutex(void)
{
    filled = 0;
    with_threads(push_under_mutex);
}

static void sections(void)
{
    struct pyrt_critical section = {0};
    for (int i = 0; i < TIMES; i++) {
        pyrt_critical_begin(&section, object);
        pyrt_critical_end(&section);
    }
}

static void raw_sections(void)
{
    for (int i = 0; i < TIMES; i++) {
        Py_BEGIN_CRITICAL_SECTION(object);
        Py_END_CRITICAL_SECTION();
    }
}

int main(int argc, char **argv)
{
    struct pyrt_attach attach = {0};
    testing_path(argc, argv);
    testing_initialize();
    object = PyList_New(0);
    for (int i = 0; i < ROUNDS * TIMES; i++) {
        Py_INCREF(object);
    }
    CHECK_STATUS(pyrt_attach_assume(&attach), PYRT_OK);
    measure("nested attach and release", nested_attach, TIMES);
    measure("PyGILState_Ensure and Release, known thread", known_gilstate, TIMES);
    measure("attach and release, known thread", known_attach, TIMES);
    measure("Py_INCREF and Py_DECREF", decref_plain, TIMES);
    measure("Py_INCREF and pyrt_pool_decref, attached", decref_pool, TIMES);
    measure("8 threads: push under a mutex", eight_push_under_mutex, TIMES);
    measure("8 threads: pyrt_pool_decref, detached", eight_push, TIMES);
    measure("raw critical section", raw_sections, TIMES);
    measure("pyrt_critical_begin and end", sections, TIMES);
    CHECK_STATUS(pyrt_pool_drain(), PYRT_OK);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    return 0;
}
