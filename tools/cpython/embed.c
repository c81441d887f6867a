// SPDX-License-Identifier: Apache-2.0
// embed: the smallest program that embeds a target. embed PATH CODE runs CODE in an isolated interpreter that searches
// only the folders of PATH (separated by colons), as a runner does. tools/cpython-build links it with every finished
// libpython.a to show that the target works, and compiles the standard library with it.

#include <Python.h>
#include <stdio.h>
#include <string.h>

static int fail(PyStatus status, PyConfig *config)
{
    fprintf(stderr, "embed: %s: %s\n", status.func ? status.func : "start", status.err_msg ? status.err_msg : "failed");
    PyConfig_Clear(config);
    return 1;
}

static PyStatus append_path(PyConfig *config, const char *folder)
{
    wchar_t *path = Py_DecodeLocale(folder, NULL);
    if (path == NULL) {
        return PyStatus_NoMemory();
    }
    PyStatus status = PyWideStringList_Append(&config->module_search_paths, path);
    PyMem_RawFree(path);
    return status;
}

static PyStatus configure(PyConfig *config, char *path)
{
    PyConfig_InitIsolatedConfig(config);
    config->site_import = 0;
    config->write_bytecode = 0;
    config->use_hash_seed = 1;
    config->module_search_paths_set = 1;
    PyStatus status = PyStatus_Ok();
    for (char *folder = strtok(path, ":"); folder && !PyStatus_Exception(status); folder = strtok(NULL, ":")) {
        status = append_path(config, folder);
    }
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: embed PATH CODE\n");
        return 2;
    }
    PyConfig config;
    PyStatus status = configure(&config, argv[1]);
    if (PyStatus_Exception(status)) {
        return fail(status, &config);
    }
    status = Py_InitializeFromConfig(&config);
    if (PyStatus_Exception(status)) {
        return fail(status, &config);
    }
    PyConfig_Clear(&config);
    int failed = PyRun_SimpleString(argv[2]) != 0;
    return Py_FinalizeEx() != 0 || failed;
}
