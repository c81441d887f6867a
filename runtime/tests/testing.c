// SPDX-License-Identifier: Apache-2.0
//
// testing: starting interpreters, threads and processes for the native tests.
#include <Python.h>

#include "testing.h"

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *path;

void testing_path(int argc, char **argv)
{
    CHECK(argc >= 2);
    path = argv[1];
}

static void start(int site)
{
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.site_import = site;
    config.write_bytecode = 0;
    config.module_search_paths_set = 1;
    char *folders = strdup(path);
    CHECK(folders != NULL);
    for (char *rest = folders, *folder; (folder = strsep(&rest, ":")) != NULL;) {
        wchar_t *wide = Py_DecodeLocale(folder, NULL);
        CHECK(wide != NULL);
        CHECK(!PyStatus_Exception(PyWideStringList_Append(&config.module_search_paths, wide)));
        PyMem_RawFree(wide);
    }
    free(folders);
    CHECK(!PyStatus_Exception(Py_InitializeFromConfig(&config)));
    PyConfig_Clear(&config);
}

void testing_initialize(void)
{
    start(0);
}

void testing_initialize_site(void)
{
    start(1);
}

void testing_in_thread(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, body, argument) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

void testing_in_thread_detached(void *(*body)(void *), void *argument)
{
    PyThreadState *tstate = PyEval_SaveThread();
    testing_in_thread(body, argument);
    PyEval_RestoreThread(tstate);
}

int testing_in_child(void (*body)(void))
{
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(60);
        body();
        fflush(NULL);
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

uint32_t testing_random(uint64_t *state, uint32_t below)
{
    // xorshift64*: small, and the same everywhere.
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)((*state * 0x2545F4914F6CDD1DULL >> 33) % below);
}
