// SPDX-License-Identifier: Apache-2.0
//
// host_python: CPython as the host. It is initialised once, single-threaded and isolated, in the runner; every run is
// a fork of that warm interpreter.
#include <Python.h>

#include "harness/host/host.h"
#include "harness/host/script_python.h"
#include "harness/sched/sched.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#if !defined(CX_STDLIB) || !defined(CX_PATH_EXTRA)
#error "CX_STDLIB, CX_PATH_EXTRA: where this target's modules are, from its target.json"
#endif

#define CX_WIDE_(text) L##text
#define CX_WIDE(text) CX_WIDE_(text)

static int report(PyStatus status)
{
    fprintf(stderr, "constrictor runner: CPython cannot be initialised: %s: %s\n",
            status.func != NULL ? status.func : "Py_InitializeFromConfig",
            status.err_msg != NULL ? status.err_msg : "it asked to exit");
    return -1;
}

static PyStatus append_path(PyConfig *config, const char *folder)
{
    wchar_t *wide = Py_DecodeLocale(folder, NULL);
    if (wide == NULL) {
        return PyStatus_NoMemory();
    }
    PyStatus status = PyWideStringList_Append(&config->module_search_paths, wide);
    PyMem_RawFree(wide);
    return status;
}

// Where modules come from, in this order: what PYTHONPATH says (a subject may have one), and the target's own.
static PyStatus set_paths(PyConfig *config)
{
    PyStatus status = PyStatus_Ok();
    const char *at = config->use_environment ? getenv("PYTHONPATH") : NULL;
    config->module_search_paths_set = 1;
    while (at != NULL && at[0] != '\0' && !PyStatus_Exception(status)) {
        char part[PATH_MAX];
        size_t chars = strcspn(at, ":");
        snprintf(part, sizeof(part), "%.*s", (int)chars, at);
        status = append_path(config, part);
        at += chars + (at[chars] == ':');
    }
    if (!PyStatus_Exception(status)) {
        status = PyWideStringList_Append(&config->module_search_paths, CX_WIDE(CX_STDLIB));
    }
    if (!PyStatus_Exception(status) && CX_PATH_EXTRA[0] != '\0') {
        status = PyWideStringList_Append(&config->module_search_paths, CX_WIDE(CX_PATH_EXTRA));
    }
    return status;
}

int cx_host_start(const struct cx_subject_info *subject)
{
    PyConfig config;
    PyStatus status = PyStatus_Ok();
    char tests[PATH_MAX];
    if (cx_script_tests(subject, CX_STDLIB, tests) != 0) {
        return -1;
    }
    if (subject->kind == CX_SUBJECT_NONE) {
        PyConfig_InitIsolatedConfig(&config);
        config.site_import = 0;
        config.install_signal_handlers = 0;
    } else {
        PyConfig_InitPythonConfig(&config);
        status = cx_script_configure(&config, subject);
    }
    config.use_hash_seed = 1;
    config.hash_seed = 0;
    config.write_bytecode = 0;
    if (!PyStatus_Exception(status)) {
        status = set_paths(&config);
    }
    if (!PyStatus_Exception(status) && tests[0] != '\0') {
        status = append_path(&config, tests);
    }
    if (!PyStatus_Exception(status)) {
        status = PyConfig_SetString(&config, &config.program_name, L"constrictor");
    }
    if (!PyStatus_Exception(status)) {
        status = Py_InitializeFromConfig(&config);
    }
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status)) {
        return report(status);
    }
    return subject->kind == CX_SUBJECT_NONE ? 0 : cx_script_prepare(subject);
}

int cx_host_run_subject(void)
{
    return Py_RunMain();
}

static int gil_is_on(void)
{
    PyObject *function = PySys_GetObject("_is_gil_enabled");
    PyObject *on = function != NULL ? PyObject_CallNoArgs(function) : NULL;
    int result = on == NULL || PyObject_IsTrue(on) != 0;
    Py_XDECREF(on);
    PyErr_Clear();
    return result;
}

void cx_host_identify(struct cx_identity *identity)
{
    snprintf(identity->python, sizeof(identity->python), "%s", Py_GetVersion());
    identity->python[strcspn(identity->python, " ")] = '\0';
#ifdef Py_GIL_DISABLED
    identity->gil_build = 0;
#else
    identity->gil_build = 1;
#endif
#ifdef Py_DEBUG
    identity->debug = 1;
#endif
    identity->gil_on = (uint32_t)gil_is_on();
}

int cx_host_has_version(const char *version)
{
    int major = 0;
    int minor = 0;
    int micro = 0;
    if (version == NULL || sscanf(version, "%d.%d.%d", &major, &minor, &micro) < 2) {
        return 1;
    }
    unsigned long wanted = ((unsigned long)major << 24) | ((unsigned long)minor << 16) | ((unsigned long)micro << 8);
    return (PY_VERSION_HEX & 0xffffff00UL) >= wanted;
}

void cx_host_before_fork(void)
{
    PyOS_BeforeFork();
}

void cx_host_after_fork_child(void)
{
    PyOS_AfterFork_Child();
}

// Finalized, or the thread has no thread state any more: there is nothing to detach.
static PyThreadState *saved;

int cx_host_detach(void)
{
    if (!Py_IsInitialized() || PyThreadState_GetUnchecked() == NULL) {
        return 0;
    }
    saved = PyEval_SaveThread();
    return 1;
}

void cx_host_attach(int detached)
{
    if (detached) {
        PyEval_RestoreThread(saved);
    }
}

// The runtime's named points are points of ours.
void pyrt_hook_point(const char *name)
{
    struct cx_thread *self = cx_self;
    if (self != NULL) {
        cx_point_labelled(self, name, __builtin_return_address(0));
    }
}
