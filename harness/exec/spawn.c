// SPDX-License-Identifier: Apache-2.0
//
// spawn: see spawn.h. Between fork and exec only calls that are safe in a child of any process are made.
#include "harness/exec/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/exec/channel.h"
#include "harness/exec/interrupt.h"
#include "harness/exec/targets.h"

#define CX_SPAWN_FD_FREE 20 // first descriptor well above the fixed ones
#define CX_SPAWN_ENVIRONMENT_MAX 100
#define CX_SPAWN_STACK_BYTES (8ul << 20) // where the kernel puts mappings depends on the stack's limit

static void limit_set(int resource, rlim_t soft)
{
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max == RLIM_INFINITY || limit.rlim_max >= soft ? soft : limit.rlim_max;
        setrlimit((__rlimit_resource_t)resource, &limit);
    }
}

// Move the four files to their fixed places: first out of each other's way, then down.
static int descriptors_place(const struct cx_spawn *spawn)
{
    const int from[] = {spawn->channel_fd, spawn->socket_fd, spawn->output_fd, spawn->log_fd};
    const int to[] = {CX_CHANNEL_FD, CX_SOCKET_FD, CX_OUTPUT_FD, CX_LOG_FD};
    int high[4];
    for (int i = 0; i < 4; i++) {
        high[i] = fcntl(from[i], F_DUPFD, CX_SPAWN_FD_FREE);
        if (high[i] < 0) {
            return -1;
        }
    }
    int null_fd = open("/dev/null", O_RDONLY);
    if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0) {
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        if (dup2(high[i], to[i]) < 0) {
            return -1;
        }
    }
    if (dup2(CX_OUTPUT_FD, STDOUT_FILENO) < 0 || dup2(CX_OUTPUT_FD, STDERR_FILENO) < 0) {
        return -1;
    }
    return close_range(CX_LOG_FD + 1, ~0u, 0);
}

// What a process is started with. A program gets its own arguments, and has to find its addresses where they were: a
// runner of ours sees to that itself.
struct surroundings {
    char *argv[CX_SUBJECT_WORDS_BYTES + 1];
    char *envp[CX_SPAWN_ENVIRONMENT_MAX + 1];
    const char *directory;
};

static void surroundings_set(struct surroundings *to, const struct cx_subject *subject)
{
    static char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "HOME=/"};
    static char preload[PATH_MAX + 100];
    size_t count = 0;
    for (; count < 3; count++) {
        to->envp[count] = environment[count];
    }
    to->argv[0] = "runner";
    to->directory = "/";
    if (subject == NULL) {
        return;
    }
    to->directory = subject->directory;
    for (size_t i = 0; i < subject->environment.count && count < CX_SPAWN_ENVIRONMENT_MAX - 1; i++) {
        to->envp[count++] = subject->environment.list[i];
    }
    if (subject->kind == CX_SUBJECT_PRELOAD) {
        snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", cx_targets_subject_file("libconstrictor-exec.so"));
        to->envp[count] = preload;
    }
    if (cx_subject_is_program(subject->kind)) {
        for (size_t i = 0; i < subject->words.count && i < CX_SUBJECT_WORDS_BYTES; i++) {
            to->argv[i] = subject->words.list[i];
        }
        personality(ADDR_NO_RANDOMIZE);
    }
}

static void child_run(const struct cx_spawn *spawn, pid_t parent)
{
    static struct surroundings surroundings;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(127); // the command died before the line above
    }
    setpgid(0, 0);
    cx_interrupt_reset();
    limit_set(RLIMIT_CORE, 0);
    limit_set(RLIMIT_STACK, CX_SPAWN_STACK_BYTES);
    umask(022);
    surroundings_set(&surroundings, spawn->subject);
    if (descriptors_place(spawn) == 0 && chdir(surroundings.directory) == 0) {
        execve(spawn->path, surroundings.argv, surroundings.envp);
    }
    const char *reason = strerror(errno);
    static const char text[] = "cannot start the runner: ";
    if (write(CX_OUTPUT_FD, text, sizeof(text) - 1) < 0 || write(CX_OUTPUT_FD, reason, strlen(reason)) < 0) {
        _exit(126);
    }
    _exit(127);
}

enum cx_status cx_spawn_runner(const struct cx_spawn *spawn, pid_t *pid, struct cx_error *error)
{
    pid_t parent = getpid();
    pid_t child = fork();
    if (child < 0) {
        return cx_error_system(error, "cannot fork");
    }
    if (child == 0) {
        child_run(spawn, parent);
    }
    setpgid(child, child); // whichever of the two comes first; the other fails harmlessly
    *pid = child;
    return CX_OK;
}
