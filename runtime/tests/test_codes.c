// SPDX-License-Identifier: Apache-2.0
//
// test_codes: what the runtime answers where no scenario can ask: before the first initialization, after the last
// finalization, across threads, and for NULL.
#include <Python.h>

#include "pyrt/pyrt.h"

#include <string.h>

#include "testing.h"

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
    CHECK(pyrt_attach_unchecked(NULL) == PYRT_INVALID);
    CHECK(pyrt_critical_begin_mutex(NULL, NULL) == PYRT_INVALID);
    CHECK(pyrt_critical_begin_two_mutexes(NULL, NULL, NULL) == PYRT_INVALID);
    CHECK(pyrt_pool_decref(NULL) == PYRT_OK);
    CHECK(pyrt_pool_decref_in(NULL, NULL) == PYRT_OK);
    CHECK(pyrt_pool_open() == NULL);
    pyrt_pool_close(NULL);
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
    testing_in_thread(release_here, &attach);
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
    CHECK(pyrt_attach_assume(&attach) == PYRT_OK);
    CHECK(pyrt_is_attached() && pyrt_attach_release(&attach) == PYRT_OK);
    Py_EndInterpreter(sub_state);
    PyThreadState_Swap(main_state);
}

static void test_versions_are_told_apart(void)
{
    CHECK(pyrt_version() == PYRT_VERSION);
    CHECK(pyrt_version_matches(PYRT_VERSION, PYRT_PYTHON));
    CHECK(pyrt_version_matches(PYRT_VERSION ^ 1, PYRT_PYTHON)); // another patch of the same
    CHECK(!pyrt_version_matches(PYRT_VERSION + 0x100, PYRT_PYTHON));
    CHECK(!pyrt_version_matches(PYRT_VERSION + 0x10000, PYRT_PYTHON));
    CHECK(!pyrt_version_matches(PYRT_VERSION, PYRT_PYTHON ^ 1));
    CHECK(!pyrt_version_matches(PYRT_VERSION, PYRT_PYTHON + 0x10000));
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
    testing_path(argc, argv);
    test_texts_exist_for_every_status();
    test_versions_are_told_apart();
    test_null_is_refused();
    test_no_interpreter_is_refused(PYRT_NOT_INITIALIZED);
    testing_initialize();
    test_release_on_another_thread_is_refused();
    test_detach_behind_the_back_is_noticed();
    test_another_interpreter_is_refused();
    test_macros_work_unbraced(1);
    test_macros_work_unbraced(0);
    CHECK(Py_FinalizeEx() == 0);
    test_no_interpreter_is_refused(PYRT_FINALIZING);
    return 0;
}
