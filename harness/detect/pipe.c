// SPDX-License-Identifier: Apache-2.0
//
// pipe: see pipe.h.
#include "harness/detect/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/exec/interrupt.h"

#define CX_PIPE_ARGUMENTS_MAX 8

struct cx_pipe {
    pid_t pid;
    FILE *questions;
    FILE *answers;
};

// Find a program in PATH. Returns a new text, or NULL.
static char *program_find(const char *name)
{
    const char *path = getenv("PATH");
    char *folders = strdup(path != NULL ? path : "/usr/bin:/bin");
    char *found = NULL;
    char *rest = folders;
    for (char *folder; found == NULL && rest != NULL && (folder = strsep(&rest, ":")) != NULL;) {
        char *candidate = NULL;
        if (asprintf(&candidate, "%s/%s", folder, name) < 0) {
            break;
        }
        if (access(candidate, X_OK) == 0) {
            found = candidate;
        } else {
            free(candidate);
        }
    }
    free(folders);
    return found;
}

static void child_run(const char *program, const char *const *arguments, int question_fd, int answer_fd)
{
    char *argv[CX_PIPE_ARGUMENTS_MAX + 2] = {(char *)program};
    for (int i = 0; i < CX_PIPE_ARGUMENTS_MAX && arguments[i] != NULL; i++) {
        argv[i + 1] = (char *)arguments[i];
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0); // Ctrl-C is for the command alone
    cx_interrupt_reset();
    unsetenv("DEBUGINFOD_URLS"); // it would go and ask servers
    unsetenv("LLVM_SYMBOLIZER_OPTS");
    int null_fd = open("/dev/null", O_WRONLY);
    if (null_fd >= 0 && dup2(question_fd, STDIN_FILENO) >= 0 && dup2(answer_fd, STDOUT_FILENO) >= 0 &&
        dup2(null_fd, STDERR_FILENO) >= 0) {
        execv(program, argv);
    }
    _exit(127);
}

enum cx_status cx_pipe_new(struct cx_pipe **out, const char *const *programs, const char *const *arguments,
                           struct cx_error *error)
{
    *out = NULL;
    int question[2] = {-1, -1};
    int answer[2] = {-1, -1};
    char *program = NULL;
    enum cx_status status = CX_OK;
    struct cx_pipe *made = calloc(1, sizeof(*made));
    for (const char *const *name = programs; program == NULL && *name != NULL; name++) {
        program = program_find(*name);
    }
    if (made == NULL || program == NULL) {
        status =
            cx_error_set(error, CX_ERR_ENVIRONMENT, "%s is not installed: ./bootstrap deps installs it", programs[0]);
        goto done;
    }
    if (pipe2(question, O_CLOEXEC) != 0 || pipe2(answer, O_CLOEXEC) != 0) {
        status = cx_error_system(error, "cannot make a pipe");
        goto done;
    }
    made->pid = fork();
    if (made->pid < 0) {
        status = cx_error_system(error, "cannot fork");
        goto done;
    }
    if (made->pid == 0) {
        child_run(program, arguments, question[0], answer[1]);
    }
    made->questions = fdopen(question[1], "w");
    made->answers = fdopen(answer[0], "r");
    close(question[0]);
    close(answer[1]);
    if (made->questions == NULL || made->answers == NULL) {
        status = cx_error_system(error, "cannot talk to %s", program);
    } else {
        *out = made;
        made = NULL;
    }
    question[0] = question[1] = answer[0] = answer[1] = -1; // the streams own them now
done:
    for (int i = 0; i < 2; i++) {
        if (question[i] >= 0) {
            close(question[i]);
        }
        if (answer[i] >= 0) {
            close(answer[i]);
        }
    }
    cx_pipe_free(made);
    free(program);
    return status;
}

void cx_pipe_free(struct cx_pipe *pipe)
{
    if (pipe == NULL) {
        return;
    }
    if (pipe->questions != NULL) {
        fclose(pipe->questions);
    }
    if (pipe->answers != NULL) {
        fclose(pipe->answers);
    }
    if (pipe->pid > 0) {
        kill(pipe->pid, SIGKILL);
        while (waitpid(pipe->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    free(pipe);
}

char *cx_pipe_ask(struct cx_pipe *pipe, const char *question)
{
    if (fputs(question, pipe->questions) < 0 || fflush(pipe->questions) != 0) {
        return NULL;
    }
    char *line = NULL;
    size_t line_bytes = 0;
    if (getline(&line, &line_bytes, pipe->answers) < 0) {
        free(line);
        return NULL;
    }
    return line;
}
