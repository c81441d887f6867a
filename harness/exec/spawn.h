// SPDX-License-Identifier: Apache-2.0
//
// spawn: the birth of a runner process in surroundings that are the same every time.
//
// Environment, argv, working directory, limits and descriptors decide where the kernel puts a process's stack and
// mappings; with them move addresses, and with addresses schedules. So all of them are constants here.
#ifndef CX_EXEC_SPAWN_H
#define CX_EXEC_SPAWN_H

#include <sys/types.h>

#include "harness/exec/subject.h"
#include "harness/status.h"

struct cx_spawn {
    const char *path;                 // of the runner
    const struct cx_subject *subject; // whose arguments, environment and folder it gets; NULL: those of every runner
    int channel_fd;                   // these four become CX_CHANNEL_FD ... CX_LOG_FD
    int socket_fd;
    int output_fd; // also standard output and error
    int log_fd;
};

// Start the runner. `*pid` leads a process group of its own and dies with this process.
enum cx_status cx_spawn_runner(const struct cx_spawn *spawn, pid_t *pid, struct cx_error *error);

#endif
