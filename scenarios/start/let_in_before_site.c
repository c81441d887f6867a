// SPDX-License-Identifier: Apache-2.0
//
// start/let_in_before_site: a thread sees that Python is initialized, and attaches, while main still starts it.
// Question: has `site` run when Py_IsInitialized says so?
// Verdict:  yes from 3.15 on. Before, the answer comes first, and Python code runs with half a path.
// How:      setup finalizes; the module `site` of the second start is ours, waits outside, as one that reads files
//           does, and lets the thread look meanwhile. Another thread looks whenever it likes.
#include <Python.h>

#include "harness/scenario.h"

#include <semaphore.h>
#include <stdatomic.h>

#define LOOKS 3

struct state {
    wchar_t *path;       // const after init: the folder of the standard library
    sem_t site_runs;     // const after init
    atomic_int site_ran; // atomic
};

static struct state *shared; // const after init

static int site_exec(PyObject *module)
{
    (void)module;
    sem_post(&shared->site_runs);
    Py_BEGIN_ALLOW_THREADS cx_point("site is outside");
    Py_END_ALLOW_THREADS atomic_store(&shared->site_ran, 1);
    return 0;
}

static PyModuleDef_Slot site_slots[] = {{Py_mod_exec, (void *)site_exec}, {0, NULL}};
static PyModuleDef site_module = {PyModuleDef_HEAD_INIT, .m_name = "site", .m_slots = site_slots};

static PyObject *site_init(void)
{
    return PyModuleDef_Init(&site_module);
}

static int setup(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyObject *path = PySys_GetObject("path");
    PyObject *first = path != NULL ? PyList_GetItem(path, 0) : NULL;
    shared = state;
    state->path = first != NULL ? PyUnicode_AsWideCharString(first, NULL) : NULL;
    if (state->path == NULL || sem_init(&state->site_runs, 0, 0) != 0 || Py_FinalizeEx() != 0) {
        return -1;
    }
    return PyImport_AppendInittab("site", site_init);
}

static void starter(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.use_hash_seed = 1;
    config.install_signal_handlers = 0;
    config.module_search_paths_set = 1;
    PyStatus status = PyConfig_SetString(&config, &config.program_name, L"constrictor");
    if (!PyStatus_Exception(status)) {
        status = PyWideStringList_Append(&config.module_search_paths, state->path);
    }
    if (!PyStatus_Exception(status)) {
        status = Py_InitializeFromConfig(&config);
    }
    CX_CHECK(!PyStatus_Exception(status));
    PyConfig_Clear(&config);
    CX_CHECK(atomic_load(&state->site_ran));
    PyEval_SaveThread();
}

static void attach_if_initialized(struct state *state)
{
    if (Py_IsInitialized()) {
        PyGILState_STATE gil = PyGILState_Ensure();
        CX_CHECK(atomic_load(&state->site_ran));
        PyGILState_Release(gil);
    }
}

static void called(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    sem_wait(&state->site_runs);
    attach_if_initialized(state);
}

static void curious(struct cx_run *run, void *memory)
{
    (void)run;
    struct state *state = memory;
    for (int i = 0; i < LOOKS; i++) {
        cx_point("look");
        attach_if_initialized(state);
    }
}

const struct cx_scenario scenario_start_let_in_before_site = {
    .summary = "a thread sees that Python is initialized, and attaches, while main still starts it",
    .builds = CX_BUILD_ANY,
    .state_bytes = sizeof(struct state),
    .setup = setup,
    .actors = {{"starter", starter, .flags = CX_ACTOR_MAIN}, {"called", called}, {"curious", curious}},
    .tags = "start,attach",
    .refs = "gh-146302,PyO3#5900",
};
