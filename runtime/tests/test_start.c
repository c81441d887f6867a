// SPDX-License-Identifier: Apache-2.0
//
// test_start: one initialization, by whoever comes first; others wait until `site` has run. PyO3's test_init_race.
#include <Python.h>

#include "pyrt/pyrt.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "testing.h"

#define THREADS 6

static atomic_int starts;
static atomic_int site_done;
static atomic_int refused;
static atomic_int stopped;     // a thread is where it wants to be stopped
static atomic_int initialized; // Python says that it is, while its start goes on
static __thread int stops;

// Like a slow sitecustomize: Python is initialized, others can attach, and things are not ready.
static int start_slowly(void *context)
{
    atomic_fetch_add(&starts, 1);
    if (context != NULL) {
        return -1;
    }
    testing_initialize_site();
    atomic_store(&initialized, 1);
    struct pyrt_attach attach = {0};
    CHECK_STATUS(pyrt_attach_try(&attach), PYRT_OK); // the starting thread is not held up by itself
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    CHECK_STATUS(pyrt_initialize(NULL), PYRT_INVALID);
    CHECK(PyRun_SimpleString("import time; time.sleep(0.1)") == 0);
    atomic_store(&site_done, 1);
    return 0;
}

static void *attach_in_time(void *unused)
{
    (void)unused;
    struct pyrt_attach attach = {0};
    static const struct pyrt_init init = {.start = start_slowly, .restart = 1};
    pyrt_attach(&attach, &init);
    CHECK(atomic_load(&site_done));
    CHECK(PyRun_SimpleString("import sys; assert 'site' in sys.modules") == 0);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    return NULL;
}

// Does not start, only tries: it may be refused, but is never let in too early.
static void *try_in_time(void *unused)
{
    (void)unused;
    for (;;) {
        struct pyrt_attach attach = {0};
        enum pyrt_status status = pyrt_attach_try(&attach);
        if (status == PYRT_OK) {
            CHECK(atomic_load(&site_done));
            CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
            return NULL;
        }
        CHECK(status == PYRT_NOT_INITIALIZED || status == PYRT_FINALIZING);
        atomic_fetch_add(&refused, 1);
        sched_yield();
    }
}

// Defined here instead of in the library: a thread that wants to be stopped between its wait and its attach is.
void pyrt_hook_point(const char *name)
{
    if (stops && strcmp(name, "attach.waited") == 0) {
        stops = 0;
        atomic_store(&stopped, 1);
        while (!atomic_load(&initialized)) {
            sched_yield();
        }
    }
}

static void *try_at_the_wrong_moment(void *unused)
{
    (void)unused;
    struct pyrt_attach attach = {0};
    stops = 1;
    CHECK_STATUS(pyrt_attach_try(&attach), PYRT_OK);
    CHECK(atomic_load(&site_done));
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    return NULL;
}

// A thread has seen that nobody starts Python; then somebody does, and Python calls itself initialized before `site`
// has run. The thread must wait all the same.
static void start_between_the_wait_and_the_attach(void)
{
    pthread_t thread;
    struct pyrt_init init = {.start = start_slowly};
    CHECK(pthread_create(&thread, NULL, try_at_the_wrong_moment, NULL) == 0);
    while (!atomic_load(&stopped)) {
        sched_yield();
    }
    CHECK_STATUS(pyrt_initialize(&init), PYRT_OK);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void round_of_threads(void)
{
    pthread_t threads[THREADS];
    atomic_store(&starts, 0);
    atomic_store(&site_done, 0);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, i % 2 ? try_in_time : attach_in_time, NULL) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    CHECK(atomic_load(&starts) == 1);
    CHECK_STATUS(pyrt_initialize(NULL), PYRT_OK);
}

// Finalization belongs to the thread that has started Python.
static void test_restart(void)
{
    struct pyrt_init init = {.start = start_slowly, .restart = 1};
    struct pyrt_attach attach = {0};
    for (int i = 0; i < 2; i++) {
        CHECK_STATUS(pyrt_initialize(&init), PYRT_OK);
        CHECK(PyThreadState_GetUnchecked() == NULL);
        CHECK_STATUS(pyrt_attach_try(&attach), PYRT_OK);
        CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
        PyGILState_Ensure();
        CHECK(Py_FinalizeEx() == 0);
        CHECK_STATUS(pyrt_initialize(NULL), PYRT_FINALIZING); // nobody has said that Py_FinalizeEx has returned
        CHECK_STATUS(pyrt_attach_try(&attach), PYRT_FINALIZING);
    }
}

static PyObject *kept;         // const after init; a reference that a thread gives away
static atomic_int ended;       // how often its object has ended
static atomic_int entered;     // attaches of the threads without a pause
static atomic_int states_kept; // atomic; threads that hold one of their own

static void *may_not_finalize(void *unused)
{
    (void)unused;
    struct pyrt_attach attach = {0};
    CHECK_STATUS(pyrt_finalize(NULL), PYRT_WRONG_THREAD);
    CHECK_STATUS(pyrt_attach_try(&attach), PYRT_OK);
    CHECK_STATUS(pyrt_finalize(NULL), PYRT_OUT_OF_ORDER);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    CHECK_STATUS(pyrt_pool_decref(kept), PYRT_OK);
    return NULL;
}

static void note_the_end(PyObject *capsule)
{
    (void)capsule;
    atomic_fetch_add(&ended, 1);
}

// Attaches for as long as it is let in; without a pause, so that there may never be a moment in which nobody is inside.
static void *attaches_until_refused(void *unused)
{
    (void)unused;
    enum pyrt_status status = PYRT_OK;
    while (status == PYRT_OK) {
        struct pyrt_attach attach = {0};
        status = pyrt_attach_try(&attach);
        if (status == PYRT_OK) {
            atomic_fetch_add(&entered, 1);
            CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
        }
    }
    CHECK(status == PYRT_FINALIZING);
    return NULL;
}

static void *keeps_a_thread_state_and_attaches(void *unused)
{
    PyGILState_Ensure();
    PyEval_SaveThread();
    atomic_fetch_add(&states_kept, 1);
    return attaches_until_refused(unused);
}

// What is queued is dropped, threads that attach without a pause are turned away, and it all ends.
static void test_finalize(void)
{
    struct pyrt_init init = {.start = start_slowly};
    struct pyrt_attach attach = {0};
    struct pyrt_forbid forbid = {0};
    pthread_t threads[THREADS];
    uint64_t dropped = 7;
    CHECK_STATUS(pyrt_finalize(NULL), PYRT_NOT_INITIALIZED);
    CHECK_STATUS(pyrt_initialize(&init), PYRT_OK);
    CHECK_STATUS(pyrt_attach_try(&attach), PYRT_OK);
    kept = PyCapsule_New(&ended, NULL, note_the_end);
    CHECK(kept != NULL);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    testing_in_thread(may_not_finalize, NULL);
    CHECK_STATUS(pyrt_forbid_begin(&forbid), PYRT_OK);
    CHECK_STATUS(pyrt_finalize(NULL), PYRT_FORBIDDEN);
    CHECK_STATUS(pyrt_forbid_end(&forbid), PYRT_OK);
    for (int i = 0; i < THREADS; i++) {
        void *(*body)(void *) = i % 2 ? keeps_a_thread_state_and_attaches : attaches_until_refused;
        CHECK(pthread_create(&threads[i], NULL, body, NULL) == 0);
    }
    // PyGILState_Ensure of a thread that starts late must not meet the finalization: that is gh-124619.
    while (atomic_load(&entered) < 100 * THREADS || atomic_load(&states_kept) < THREADS / 2) {
        sched_yield();
    }
    CHECK_STATUS(pyrt_finalize(&dropped), PYRT_OK);
    CHECK(dropped == 0 && atomic_load(&ended) == 1 && !Py_IsInitialized());
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    CHECK_STATUS(pyrt_finalize(NULL), PYRT_FINALIZING);
}

// Python's output cannot be flushed: it has ended all the same, and what is queued was dropped.
static void finalize_with_a_full_disk(void)
{
    struct pyrt_init init = {.start = start_slowly};
    uint64_t dropped = 7;
    CHECK_STATUS(pyrt_initialize(&init), PYRT_OK);
    PyGILState_STATE state = PyGILState_Ensure();
    CHECK(PyRun_SimpleString("import sys\n"
                             "class Full:\n"
                             "    closed = False\n"
                             "    def flush(self): raise OSError(28, 'No space left on device')\n"
                             "sys.stdout = Full()\n"
                             "sys.unraisablehook = lambda unraisable: None\n") == 0);
    PyObject *capsule = PyCapsule_New(&ended, NULL, note_the_end);
    PyGILState_Release(state);
    CHECK_STATUS(pyrt_pool_decref(capsule), PYRT_OK);
    CHECK_STATUS(pyrt_finalize(&dropped), PYRT_NOT_FLUSHED);
    CHECK(dropped == 0 && atomic_load(&ended) == 1 && !Py_IsInitialized());
    CHECK_STATUS(pyrt_finalize(NULL), PYRT_FINALIZING);
}

// Refused, and nothing has happened, while a subinterpreter is attached.
static void finalize_inside_a_subinterpreter(void)
{
    struct pyrt_init init = {.start = start_slowly};
    CHECK_STATUS(pyrt_initialize(&init), PYRT_OK);
    PyGILState_Ensure();
    PyThreadState *outside = PyThreadState_Get();
    PyThreadState *inside = Py_NewInterpreter();
    CHECK(inside != NULL && inside != outside);
    CHECK_STATUS(pyrt_finalize(NULL), PYRT_MISMATCH);
    CHECK(PyThreadState_Get() == inside && Py_IsInitialized());
    Py_EndInterpreter(inside);
    PyThreadState_Swap(outside);
    CHECK_STATUS(pyrt_finalize(NULL), PYRT_OK);
    CHECK(!Py_IsInitialized());
}

// pyrt_attach starts Python again for a caller who knows that the last one has ended, and for no other.
static void attach_after_a_finalization(void)
{
    struct pyrt_init init = {.start = start_slowly, .restart = 1};
    struct pyrt_attach attach = {0};
    atomic_store(&starts, 0);
    testing_initialize();
    CHECK(Py_FinalizeEx() == 0);
    pyrt_attach(&attach, &init);
    CHECK(atomic_load(&starts) == 1 && pyrt_is_attached());
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
}

static void test_a_failed_start_leaves_things_as_they_were(void)
{
    struct pyrt_init init = {.start = start_slowly, .context = &init};
    struct pyrt_attach attach = {0};
    CHECK_STATUS(pyrt_initialize(&init), PYRT_INIT_FAILED);
    CHECK_STATUS(pyrt_initialize(&init), PYRT_INIT_FAILED);
    CHECK(!Py_IsInitialized());
    CHECK_STATUS(pyrt_attach_try(&attach), PYRT_NOT_INITIALIZED);
}

static void child_that_may_not_start(void)
{
    freopen("/dev/null", "w", stderr);
    struct pyrt_attach attach = {0};
    pyrt_attach(&attach, NULL);
}

static atomic_int restarted;

// Plain CPython: a thread has a thread state, detached, when Python is finalized, and attaches after a restart.
static void *lives_through_a_restart(void *unused)
{
    (void)unused;
    PyGILState_Ensure();
    PyEval_SaveThread();
    atomic_store(&stopped, 1);
    while (!atomic_load(&restarted)) {
        sched_yield();
    }
    PyGILState_Release(PyGILState_Ensure());
    return NULL;
}

static void child_that_restarts(void)
{
    pthread_t thread;
    testing_initialize();
    CHECK(pthread_create(&thread, NULL, lives_through_a_restart, NULL) == 0);
    PyThreadState *tstate = PyEval_SaveThread();
    while (!atomic_load(&stopped)) {
        sched_yield();
    }
    PyEval_RestoreThread(tstate);
    CHECK(Py_FinalizeEx() == 0);
    testing_initialize();
    PyEval_SaveThread();
    alarm(PY_VERSION_HEX < 0x030F0000 ? 60 : 3);
    atomic_store(&restarted, 1);
    CHECK(pthread_join(thread, NULL) == 0);
}

int main(int argc, char **argv)
{
    testing_path(argc, argv);
    CHECK(testing_in_child(child_that_may_not_start) == -SIGABRT);
    test_a_failed_start_leaves_things_as_they_were();
    CHECK(testing_in_child(round_of_threads) == 0);
    CHECK(testing_in_child(start_between_the_wait_and_the_attach) == 0);
    CHECK(testing_in_child(attach_after_a_finalization) == 0);
    CHECK(testing_in_child(test_finalize) == 0);
    CHECK(testing_in_child(finalize_with_a_full_disk) == 0);
    CHECK(testing_in_child(finalize_inside_a_subinterpreter) == 0);
    // From 3.15 on CPython parks the thread for ever: docs/bugs-found.md.
    CHECK(testing_in_child(child_that_restarts) == (PY_VERSION_HEX < 0x030F0000 ? 0 : -SIGALRM));
    test_restart();
    return 0;
}
