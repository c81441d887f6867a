// SPDX-License-Identifier: Apache-2.0
//
// test_misuse: every function, used as it must not be. Each answers with a code, or ends the process with its name.
//
// Scopes are alike: all kinds go through the same mistakes. The others follow by situation: an interpreter that has
// ended, Python that has been finalized, the child of a fork by a thread that was not attached.
#include <Python.h>

#include "pyrt/pyrt.h"

#include <signal.h>

#include "scopes.h"
#include "testing.h"

static struct pyrt_interp main_interp;
static struct pyrt_interp sub;
static struct pyrt_tstate kept;
static struct pyrt_guard *guard;
static struct pyrt_view *view;
static struct scope_of ours = {.interp = &sub, .kept = &kept}; // and `guard`, `view`

static void *end_elsewhere(void *scope)
{
    CHECK_STATUS(scope_end(scope), PYRT_WRONG_THREAD);
    return NULL;
}

static void test_scopes_of_every_kind(void)
{
    for (enum scope_kind kind = 0; kind < SCOPE_KINDS; kind++) {
        struct scope scope = {.kind = kind};
        struct scope inner = {.kind = SCOPE_FORBID};
        CHECK_STATUS(scope_end(&scope), PYRT_NOT_LIVE);
        CHECK_STATUS(scope_begin(&scope, &ours), PYRT_OK);
        CHECK_STATUS(scope_begin(&scope, &ours), PYRT_ALREADY_LIVE);
        testing_in_thread(end_elsewhere, &scope);
        CHECK_STATUS(scope_begin(&inner, &ours), PYRT_OK);
        CHECK_STATUS(scope_end(&scope), PYRT_OUT_OF_ORDER);
        CHECK_STATUS(scope_end(&inner), PYRT_OK);
        CHECK_STATUS(scope_end(&scope), PYRT_OK);
        CHECK_STATUS(scope_end(&scope), PYRT_NOT_LIVE);
        CHECK(pyrt_is_attached());
    }
}

// In a traversal everything is refused that would let go of the interpreter or come in.
static void test_forbid_refuses_every_kind(void)
{
    struct scope forbid = {.kind = SCOPE_FORBID};
    CHECK_STATUS(scope_begin(&forbid, &ours), PYRT_OK);
    for (enum scope_kind kind = 0; kind < SCOPE_KINDS; kind++) {
        struct scope scope = {.kind = kind};
        CHECK_STATUS(kind != SCOPE_FORBID ? scope_begin(&scope, &ours) : PYRT_FORBIDDEN, PYRT_FORBIDDEN);
    }
    struct pyrt_interp fresh = {0};
    CHECK_STATUS(pyrt_interp_create(&fresh, NULL), PYRT_FORBIDDEN);
    CHECK_STATUS(pyrt_interp_destroy(&sub), PYRT_FORBIDDEN);
    CHECK_STATUS(pyrt_tstate_close(&kept), PYRT_FORBIDDEN);
    CHECK_STATUS(pyrt_pool_drain(), PYRT_FORBIDDEN);
    CHECK_STATUS(scope_end(&forbid), PYRT_OK);
}

static void test_empty_and_null(void)
{
    struct pyrt_interp empty = {0};
    struct pyrt_tstate closed = {0};
    struct pyrt_activate activate = {0};
    PyObject *dict = NULL;
    CHECK_STATUS(pyrt_activate_begin(&activate, &empty), PYRT_INVALID);
    CHECK_STATUS(pyrt_activate_begin(&activate, NULL), PYRT_INVALID);
    CHECK_STATUS(pyrt_activate_begin(NULL, &sub), PYRT_INVALID);
    CHECK_STATUS(pyrt_activate_begin_with(&activate, &closed), PYRT_INVALID);
    CHECK_STATUS(pyrt_activate_begin_with(&activate, NULL), PYRT_INVALID);
    CHECK_STATUS(pyrt_activate_begin_with(NULL, &kept), PYRT_INVALID);
    CHECK_STATUS(pyrt_activate_end(NULL), PYRT_INVALID);
    CHECK_STATUS(pyrt_tstate_open(&closed, &empty), PYRT_INVALID);
    CHECK_STATUS(pyrt_tstate_open(&closed, NULL), PYRT_INVALID);
    CHECK_STATUS(pyrt_tstate_open(NULL, &sub), PYRT_INVALID);
    CHECK_STATUS(pyrt_tstate_open(&kept, &sub), PYRT_ALREADY_LIVE);
    CHECK_STATUS(pyrt_tstate_close(&closed), PYRT_NOT_LIVE);
    CHECK_STATUS(pyrt_tstate_close(NULL), PYRT_INVALID);
    CHECK_STATUS(pyrt_interp_create(NULL, NULL), PYRT_INVALID);
    CHECK_STATUS(pyrt_interp_create(&sub, NULL), PYRT_ALREADY_LIVE);
    CHECK_STATUS(pyrt_interp_main(NULL), PYRT_INVALID);
    CHECK_STATUS(pyrt_interp_main(&sub), PYRT_ALREADY_LIVE);
    CHECK_STATUS(pyrt_interp_current(NULL), PYRT_INVALID);
    CHECK_STATUS(pyrt_interp_current(&sub), PYRT_ALREADY_LIVE);
    CHECK_STATUS(pyrt_interp_destroy(&empty), PYRT_INVALID);
    CHECK_STATUS(pyrt_interp_destroy(NULL), PYRT_INVALID);
    CHECK_STATUS(pyrt_interp_dict(&empty, &dict), PYRT_INVALID);
    CHECK_STATUS(pyrt_interp_dict(&main_interp, NULL), PYRT_INVALID);
    CHECK_STATUS(pyrt_interp_dict(&sub, &dict), PYRT_MISMATCH);
    CHECK_STATUS(pyrt_interp_move(NULL, &sub), PYRT_INVALID);
    CHECK_STATUS(pyrt_interp_move(&empty, NULL), PYRT_INVALID);
    CHECK_STATUS(pyrt_interp_move(&main_interp, &sub), PYRT_ALREADY_LIVE);
    CHECK(pyrt_interp_id(&empty) == -1 && pyrt_interp_id(NULL) == -1);
    CHECK(pyrt_interp_is_empty(&empty) && pyrt_interp_is_empty(NULL));
    pyrt_interp_disarm(NULL);
    pyrt_interp_disarm(&empty);
    CHECK_STATUS(pyrt_ensure_begin(&(struct pyrt_ensure){0}, NULL), PYRT_INVALID);
    CHECK_STATUS(pyrt_ensure_begin_view(&(struct pyrt_ensure){0}, NULL), PYRT_INVALID);
    CHECK_STATUS(pyrt_guard_from_view(&guard, NULL), PYRT_INVALID);
    CHECK_STATUS(pyrt_critical_begin(&(struct pyrt_critical){0}, NULL), PYRT_INVALID);
    CHECK_STATUS(pyrt_critical_begin_two(&(struct pyrt_critical){0}, Py_None, NULL), PYRT_INVALID);
    CHECK_STATUS(pyrt_critical_begin_two(NULL, Py_None, Py_None), PYRT_INVALID);
}

static void child_of_a_detached_thread(void)
{
    static const enum scope_kind kinds[] = {SCOPE_TRY, SCOPE_ACTIVATE, SCOPE_KEPT, SCOPE_ENSURE, SCOPE_VIEW};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct scope scope = {.kind = kinds[i]};
        CHECK_STATUS(scope_begin(&scope, &ours), PYRT_FORKED);
        CHECK_STATUS(scope_end(&scope), PYRT_NOT_LIVE);
    }
    struct pyrt_interp fresh = {0};
    struct pyrt_tstate unused = {0};
    struct pyrt_guard *another = NULL;
    CHECK_STATUS(pyrt_initialize(NULL), PYRT_FORKED);
    CHECK_STATUS(pyrt_interp_create(&fresh, NULL), PYRT_FORKED);
    CHECK_STATUS(pyrt_interp_destroy(&sub), PYRT_FORKED);
    CHECK_STATUS(pyrt_tstate_open(&unused, &sub), PYRT_FORKED);
    CHECK_STATUS(pyrt_tstate_close(&kept), PYRT_FORKED);
    CHECK_STATUS(pyrt_guard_from_view(&another, view), PYRT_FORKED);
    CHECK_STATUS(pyrt_guard_from_current(&another), PYRT_NOT_ATTACHED);
    CHECK_STATUS(pyrt_pool_drain(), PYRT_NOT_ATTACHED);
    CHECK_STATUS(pyrt_pool_decref(Py_None), PYRT_OK);
    CHECK(!pyrt_is_attached() && another == NULL && pyrt_interp_is_empty(&fresh));
    pyrt_guard_close(guard);
    pyrt_view_close(view);
}

static void test_fork_of_a_detached_thread(void)
{
    struct scope outside = {.kind = SCOPE_DETACH};
    CHECK_STATUS(scope_begin(&outside, &ours), PYRT_OK);
    CHECK(testing_in_child(child_of_a_detached_thread) == 0);
    CHECK_STATUS(scope_end(&outside), PYRT_OK);
}

static void test_destroyed_interpreter(void)
{
    struct pyrt_interp borrowed = {0};
    struct pyrt_interp mine = {0};
    struct pyrt_view *stale = NULL;
    struct pyrt_guard *another = NULL;
    struct pyrt_activate inside = {0};
    struct pyrt_tstate unused = {0};
    struct pyrt_ensure ensure = {0};
    CHECK_STATUS(pyrt_interp_create(&mine, NULL), PYRT_OK);
    CHECK_STATUS(pyrt_activate_begin(&inside, &mine), PYRT_OK);
    CHECK_STATUS(pyrt_interp_current(&borrowed), PYRT_OK);
    CHECK_STATUS(pyrt_view_from_current(&stale), PYRT_OK);
    struct pyrt_pool *pool = pyrt_pool_open();
    CHECK_STATUS(pyrt_interp_destroy(&mine), PYRT_BUSY);
    CHECK_STATUS(pyrt_activate_end(&inside), PYRT_OK);
    CHECK_STATUS(pyrt_interp_destroy(&mine), PYRT_OK);
    CHECK_STATUS(pyrt_interp_destroy(&mine), PYRT_INVALID);
    CHECK_STATUS(pyrt_activate_begin(&inside, &borrowed), PYRT_GONE);
    CHECK_STATUS(pyrt_tstate_open(&unused, &borrowed), PYRT_GONE);
    enum pyrt_status status = pyrt_guard_from_view(&another, stale);
    CHECK(status == PYRT_GONE || status == PYRT_FINALIZING);
    CHECK_STATUS(pyrt_ensure_begin_view(&ensure, stale), status);
    CHECK_STATUS(pyrt_pool_decref_in(pool, Py_NewRef(Py_None)), PYRT_FINALIZING);
    CHECK_STATUS(pyrt_interp_destroy(&borrowed), PYRT_OK);
    pyrt_view_close(stale);
    pyrt_pool_close(pool);
}

static void child_that_attaches_after_the_end(void)
{
    freopen("/dev/null", "w", stderr);
    pyrt_attach(&(struct pyrt_attach){0}, NULL);
}

static void child_with_a_refused_section(void)
{
    freopen("/dev/null", "w", stderr);
    pyrt_critical_require(PYRT_NOT_ATTACHED);
}

static void test_after_the_end(void)
{
    struct pyrt_interp unused = {0};
    struct pyrt_tstate none = {0};
    struct pyrt_guard *another = NULL;
    struct pyrt_view *fresh = NULL;
    struct scope scopes[] = {
        {.kind = SCOPE_TRY}, {.kind = SCOPE_ASSUME}, {.kind = SCOPE_DETACH}, {.kind = SCOPE_FORBID}};
    CHECK_STATUS(scope_begin(&scopes[0], &ours), PYRT_FINALIZING);
    CHECK_STATUS(scope_begin(&scopes[1], &ours), PYRT_NOT_ATTACHED);
    CHECK_STATUS(scope_begin(&scopes[2], &ours), PYRT_NOT_ATTACHED);
    CHECK_STATUS(scope_begin(&scopes[3], &ours), PYRT_OK);
    CHECK_STATUS(scope_end(&scopes[3]), PYRT_OK);
    CHECK_STATUS(pyrt_initialize(NULL), PYRT_FINALIZING);
    CHECK_STATUS(pyrt_interp_create(&unused, NULL), PYRT_FINALIZING);
    CHECK_STATUS(pyrt_interp_main(&unused), PYRT_NOT_INITIALIZED);
    CHECK_STATUS(pyrt_interp_current(&unused), PYRT_NOT_ATTACHED);
    CHECK_STATUS(pyrt_activate_begin(&scopes[0].activate, &main_interp), PYRT_GONE);
    CHECK_STATUS(pyrt_tstate_open(&none, &main_interp), PYRT_GONE);
    CHECK_STATUS(pyrt_guard_from_current(&another), PYRT_NOT_ATTACHED);
    CHECK_STATUS(pyrt_view_from_current(&fresh), PYRT_NOT_ATTACHED);
    enum pyrt_status status = pyrt_guard_from_view(&another, view);
    CHECK(status == PYRT_FINALIZING || status == PYRT_GONE);
    CHECK_STATUS(pyrt_ensure_begin_view(&scopes[0].ensure, view), status);
    CHECK_STATUS(pyrt_critical_begin(&(struct pyrt_critical){0}, Py_None), PYRT_NOT_ATTACHED);
    CHECK_STATUS(pyrt_critical_begin_two(&(struct pyrt_critical){0}, Py_None, Py_True), PYRT_NOT_ATTACHED);
    CHECK_STATUS(pyrt_pool_drain(), PYRT_NOT_ATTACHED);
    CHECK_STATUS(pyrt_pool_decref(Py_None), PYRT_FINALIZING);
    CHECK(pyrt_pool_open() == NULL && !pyrt_is_attached() && !pyrt_in_traverse());
    CHECK(testing_in_child(child_that_attaches_after_the_end) == -SIGABRT);
    CHECK(testing_in_child(child_with_a_refused_section) == -SIGABRT);
    pyrt_view_close(view);
}

int main(int argc, char **argv)
{
    testing_path(argc, argv);
    testing_initialize();
    struct pyrt_attach attach = {0};
    CHECK_STATUS(pyrt_attach_assume(&attach), PYRT_OK);
    CHECK_STATUS(pyrt_interp_main(&main_interp), PYRT_OK);
    CHECK_STATUS(pyrt_interp_create(&sub, NULL), PYRT_OK);
    CHECK_STATUS(pyrt_tstate_open(&kept, &sub), PYRT_OK);
    CHECK_STATUS(pyrt_guard_from_current(&guard), PYRT_OK);
    CHECK_STATUS(pyrt_view_from_current(&view), PYRT_OK);
    ours.guard = guard;
    ours.view = view;
    test_scopes_of_every_kind();
    test_forbid_refuses_every_kind();
    test_empty_and_null();
    test_fork_of_a_detached_thread();
    test_destroyed_interpreter();
    CHECK_STATUS(pyrt_tstate_close(&kept), PYRT_OK);
    CHECK_STATUS(pyrt_interp_destroy(&sub), PYRT_OK);
    pyrt_guard_close(guard);
    CHECK_STATUS(pyrt_attach_release(&attach), PYRT_OK);
    CHECK(Py_FinalizeEx() == 0);
    test_after_the_end();
    return 0;
}
