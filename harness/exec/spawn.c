// SPDX-License-Identifier: Apache-2.0
//
// spawn: see spawn.h. Between fork and exec only calls that are safe in a child of any process are made.
#include "harness/exec/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/exec/channel.h"
#include "harness/exec/interrupt.h"

#define CX_SPAWN_FD_FREE 20              // first descriptor well above the fixed ones
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

static void child_run(const struct cx_spawn *spawn, pid_t parent)
{
    static char *const argv[] = {"runner", NULL};
    static char *const envp[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "HOME=/", NULL};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(127); // the command died before the line above
    }
    setpgid(0, 0);
    cx_interrupt_reset();
    limit_set(RLIMIT_CORE, 0);
    limit_set(RLIMIT_STACK, CX_SPAWN_STACK_BYTES);
    umask(022);
    if (descriptors_place(spawn) == 0 && chdir("/") == 0) {
        execve(spawn->path, argv, envp);
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
