// SPDX-License-Identifier: Apache-2.0
//
// headers: the public headers in C++17, with every scope and every macro used once, as C++ code would; and a hook in
// the place of the library's.
#include <Python.h>

#include <pyrt/pyrt.h>

#include <cstdio>
#include <cstdlib>

static int hooks_passed;

void pyrt_hook_point(const char *name)
{
    hooks_passed += name[0] != '\0';
}

namespace
{

void require(bool held, const char *what)
{
    if (!held) {
        std::fprintf(stderr, "headers: %s\n", what);
        std::abort();
    }
}

int sections(PyObject *one, PyObject *two)
{
    int inside = 0;
    if (one != two)
        PYRT_CRITICAL_BEGIN(one);
    inside++;
    PYRT_CRITICAL_END();
    else inside--;
    if (one != two)
        PYRT_CRITICAL_BEGIN_TWO(one, two);
    inside++;
    PYRT_CRITICAL_END();
    else inside--;
#if PYRT_CRITICAL_HAS_MUTEX
    static PyMutex first, second;
    PYRT_CRITICAL_BEGIN_MUTEX(&first);
    PYRT_CRITICAL_BEGIN_TWO_MUTEXES(&first, &second);
    inside++;
    PYRT_CRITICAL_END();
    PYRT_CRITICAL_END();
#else
    inside++;
#endif
    return inside;
}

void scopes()
{
    struct pyrt_attach attach = {};
    struct pyrt_detach detach = {};
    struct pyrt_forbid forbid = {};
    struct pyrt_interp interp = {};
    struct pyrt_activate activate = {};
    struct pyrt_tstate kept = {};
    struct pyrt_ensure ensure = {};
    struct pyrt_critical section = {};
    struct pyrt_guard *guard = nullptr;
    require(pyrt_attach_assume(&attach) == PYRT_OK && pyrt_is_attached(), "attach");
    require(sections(Py_None, Py_True) == 3, "sections");
    require(pyrt_critical_begin(&section, Py_None) == PYRT_OK && pyrt_critical_end(&section) == PYRT_OK, "section");
    require(pyrt_guard_from_current(&guard) == PYRT_OK, "guard");
    require(pyrt_detach_begin(&detach) == PYRT_OK && pyrt_detach_end(&detach) == PYRT_OK, "detach");
    require(pyrt_forbid_begin(&forbid) == PYRT_OK && pyrt_in_traverse() && pyrt_forbid_end(&forbid) == PYRT_OK,
            "forbid");
    require(pyrt_ensure_begin(&ensure, guard) == PYRT_OK && pyrt_ensure_end(&ensure) == PYRT_OK, "ensure");
    require(pyrt_interp_main(&interp) == PYRT_OK && pyrt_interp_id(&interp) == 0, "main interpreter");
    require(pyrt_tstate_open(&kept, &interp) == PYRT_OK && pyrt_tstate_close(&kept) == PYRT_OK, "kept thread state");
    require(pyrt_activate_begin(&activate, &interp) == PYRT_OK && pyrt_activate_end(&activate) == PYRT_OK, "activate");
    require(pyrt_pool_decref(PyLong_FromLong(1 << 20)) == PYRT_OK && pyrt_pool_drain() == PYRT_OK, "pool");
    pyrt_guard_close(guard);
    require(pyrt_interp_destroy(&interp) == PYRT_OK, "handle");
    require(pyrt_attach_release(&attach) == PYRT_OK, "release");
}

} // namespace

int main()
{
    require(pyrt_version_matches(PYRT_VERSION, PYRT_PYTHON) && pyrt_version() == PYRT_VERSION, "version");
    require(!pyrt_version_matches(PYRT_VERSION + 0x100, PYRT_PYTHON), "another minor version");
    require(!pyrt_version_matches(PYRT_VERSION, PYRT_PYTHON ^ 1), "another build");
    Py_Initialize();
    scopes();
    require(Py_FinalizeEx() == 0, "finalization");
    require(hooks_passed > 0, "hook");
    std::printf("headers: %s %s\n", PYRT_VERSION_TEXT, pyrt_status_name(PYRT_OK));
    return 0;
}
