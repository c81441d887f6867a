// SPDX-License-Identifier: Apache-2.0
//
// test_codes: what the runtime answers where no scenario can ask: before the first initialization, after the last
// finalization, across threads, and for NULL. Native threads, a real interpreter, no scheduler. argv[1] is the folder
// of the standard library. Exit status 0, or the line of the check that failed on standard error.
#include <Python.h>

#include "pyrt/pyrt.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(expression)                                                                                              \
    do {                                                                                                               \
        if (!(expression)) {                                                                                           \
            fprintf(stderr, "test_codes: line %d: %s\n", __LINE__, #expression);                                       \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

static void initialize(const char *stdlib)
{
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.site_import = 0;
    config.write_bytecode = 0;
    config.module_search_paths_set = 1;
    wchar_t *path = Py_DecodeLocale(stdlib, NULL);
    CHECK(path != NULL);
    CHECK(!PyStatus_Exception(PyWideStringList_Append(&config.module_search_paths, path)));
    PyMem_RawFree(path);
    CHECK(!PyStatus_Exception(Py_InitializeFromConfig(&config)));
    PyConfig_Clear(&config);
}

static void in_thread(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, body, argument) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void test_texts_exist_for_every_status(void)
{
#define EXPECT(enumerator, value, name, sentence)                                                                      \
    CHECK(strcmp(pyrt_status_name(enumerator), name) == 0 && strcmp(pyrt_status_text(enumerator), sentence) == 0);
    PYRT_STATUS_MAP(EXPECT)
#undef EXPECT
    CHECK(strcmp(pyrt_status_name((enum pyrt_status)1), "?") == 0);
}

static void test_null_is_refused(void)
{
    CHECK(pyrt_attach_try(NULL) == PYRT_INVALID);
    CHECK(pyrt_attach_assume(NULL) == PYRT_INVALID);
    CHECK(pyrt_attach_release(NULL) == PYRT_INVALID);
    CHECK(pyrt_detach_begin(NULL) == PYRT_INVALID);
    CHECK(pyrt_detach_end(NULL) == PYRT_INVALID);
    CHECK(pyrt_forbid_begin(NULL) == PYRT_INVALID);
    CHECK(pyrt_forbid_end(NULL) == PYRT_INVALID);
    CHECK(pyrt_critical_begin(NULL, Py_None) == PYRT_INVALID);
    CHECK(pyrt_critical_end(NULL) == PYRT_INVALID);
    CHECK(pyrt_pool_decref(NULL) == PYRT_OK);
}

static void test_no_interpreter_is_refused(enum pyrt_status expected)
{
    struct pyrt_attach attach = {0};
    struct pyrt_detach detach = {0};
    CHECK(pyrt_attach_try(&attach) == expected);
    CHECK(pyrt_attach_assume(&attach) == PYRT_NOT_ATTACHED);
    CHECK(pyrt_detach_begin(&detach) == PYRT_NOT_ATTACHED);
    CHECK(pyrt_pool_drain() == PYRT_NOT_ATTACHED);
    CHECK(!pyrt_is_attached());
}

static void *release_here(void *attach)
{
    CHECK(pyrt_attach_release(attach) == PYRT_WRONG_THREAD);
    return NULL;
}

static void test_release_on_another_thread_is_refused(void)
{
    struct pyrt_attach attach = {0};
    CHECK(pyrt_attach_assume(&attach) == PYRT_OK);
    in_thread(release_here, &attach);
    CHECK(pyrt_is_attached());
    CHECK(pyrt_attach_release(&attach) == PYRT_OK);
    CHECK(!pyrt_is_attached() && PyThreadState_GetUnchecked() != NULL);
}

// A thread that leaves the interpreter behind the runtime's back is not taken for attached.
static void test_detach_behind_the_back_is_noticed(void)
{
    struct pyrt_attach attach = {0};
    struct pyrt_pool_stats before;
    struct pyrt_pool_stats after;
    PyObject *list = PyList_New(0);
    CHECK(list != NULL && pyrt_attach_assume(&attach) == PYRT_OK);
    pyrt_pool_stats(&before);
    PyThreadState *tstate = PyEval_SaveThread();
    CHECK(!pyrt_is_attached());
    CHECK(pyrt_pool_decref(list) == PYRT_OK);
    PyEval_RestoreThread(tstate);
    pyrt_pool_stats(&after);
    CHECK(after.queued == before.queued + 1 && after.drained == before.drained);
    CHECK(pyrt_pool_drain() == PYRT_OK);
    pyrt_pool_stats(&after);
    CHECK(after.drained == before.drained + 1);
    CHECK(pyrt_attach_release(&attach) == PYRT_OK);
}

static void test_another_interpreter_is_refused(void)
{
    struct pyrt_attach attach = {0};
    PyThreadState *main_state = PyThreadState_Get();
    PyThreadState *sub_state = Py_NewInterpreter();
    CHECK(sub_state != NULL);
    CHECK(pyrt_attach_try(&attach) == PYRT_MISMATCH);
    CHECK(pyrt_attach_assume(&attach) == PYRT_MISMATCH);
    Py_EndInterpreter(sub_state);
    PyThreadState_Swap(main_state);
}

static void test_macros_work_unbraced(int yes)
{
    int inside = 0;
    if (yes)
        PYRT_CRITICAL_BEGIN_TWO(Py_None, Py_True);
    inside++;
    PYRT_CRITICAL_END();
    else inside = -1;
    CHECK(inside == (yes ? 1 : -1));
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    test_texts_exist_for_every_status();
    test_null_is_refused();
    test_no_interpreter_is_refused(PYRT_NOT_INITIALIZED);
    initialize(argv[1]);
    test_release_on_another_thread_is_refused();
    test_detach_behind_the_back_is_noticed();
    test_another_interpreter_is_refused();
    test_macros_work_unbraced(1);
    test_macros_work_unbraced(0);
    CHECK(Py_FinalizeEx() == 0);
    test_no_interpreter_is_refused(PYRT_FINALIZING);
    return 0;
}
