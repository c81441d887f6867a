// SPDX-License-Identifier: Apache-2.0
//
// tools: see tools.h.
#include "harness/exec/tools.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/exec/interrupt.h"
#include "harness/exec/targets.h"

#define CX_TOOL_ARGUMENTS_MAX 8

enum cx_exit cx_tools_run(const char *tool, const char *const *arguments, struct cx_error *error)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/tools/%s", cx_targets_source_dir(), tool);
    if (access(path, X_OK) != 0) {
        cx_error_system(error, "cannot run %s (CONSTRICTOR_SOURCE_DIR names the source tree)", path);
        return CX_EXIT_ENVIRONMENT;
    }
    char *argv[CX_TOOL_ARGUMENTS_MAX + 2] = {path};
    for (int i = 0; i < CX_TOOL_ARGUMENTS_MAX && arguments[i] != NULL; i++) {
        argv[i + 1] = (char *)arguments[i];
    }
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        cx_interrupt_reset();
        execv(path, argv);
        _exit(127);
    }
    int status = 0;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (pid < 0 || WIFSIGNALED(status)) {
        cx_error_set(error, CX_ERR_ENVIRONMENT, "tools/%s was ended by signal %d", tool, WTERMSIG(status));
        return pid > 0 && WTERMSIG(status) == SIGINT ? CX_EXIT_INTERRUPTED : CX_EXIT_ENVIRONMENT;
    }
    return (enum cx_exit)WEXITSTATUS(status);
}

enum cx_exit cx_tools_target_add(const char *name, const char *source, const char *build, struct cx_error *error)
{
    const char *const release[] = {name, NULL};
    const char *const own[] = {"--name", name, "--source", source, "--build", build, NULL};
    const char *const runner[] = {name, cx_targets_build_dir(), NULL};
    enum cx_exit code = CX_EXIT_OK;
    if (strncmp(name, "plain", strlen("plain")) != 0) {
        code = cx_tools_run("cpython-build", source != NULL ? own : release, error);
    }
    return code == CX_EXIT_OK ? cx_tools_run("runner-build", runner, error) : code;
}
