// SPDX-License-Identifier: Apache-2.0
//
// forking: a child, its end, and its parent's look at that.
#include <Python.h>

#include "harness/scenario.h"
#include "scenarios/common/forking.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void forking_run(void (*child)(void *memory), void *memory)
{
    int status = 0;
    PyOS_BeforeFork();
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); // nobody else would end it, without control
        PyOS_AfterFork_Child();
        child(memory);
        _exit(0);
    }
    PyOS_AfterFork_Parent();
    CX_CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    CX_CHECK(status == 0);
}
