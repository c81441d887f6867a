// SPDX-License-Identifier: Apache-2.0
//
// process: fork, clone, and waiting for child processes. What becomes of a forked process is in family.c. A thread made
// by clone(2) cannot be controlled; that it was made is said.
#include "harness/interpose/interpose.h"

#include "harness/host/run.h"
#include "harness/sched/again.h"
#include "harness/sched/futex.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t fork(void)
{
    struct cx_thread *self = cx_self;
    if (self != NULL) {
        cx_again_unfit("a process that the program forks");
        cx_step(self, CX_OP_FORK, NULL, CX_CALLER);
    }
    return cx_the_real()->fork(); // its handlers do the rest: family.c
}

// The child of a real vfork borrows its parent's memory, and with it the scheduler. A copy does for what vfork is for.
pid_t vfork(void)
{
    return fork();
}

struct wait_question {
    pid_t pid;
    int options;
};

static int wait_over(void *argument)
{
    const struct wait_question *question = argument;
    siginfo_t info = {.si_pid = 0};
    int which = question->pid > 0 ? P_PID : (question->pid < 0 && question->pid != -1 ? P_PGID : P_ALL);
    long id = question->pid < 0 ? -question->pid : question->pid;
    int what = WEXITED | WNOHANG | WNOWAIT;
    what |= (question->options & WUNTRACED) != 0 ? WSTOPPED : 0;
    what |= (question->options & WCONTINUED) != 0 ? WCONTINUED : 0;
    return cx_syscall6(SYS_waitid, which, id, (long)&info, what, 0, 0) != 0 || info.si_pid != 0;
}

pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
    struct cx_thread *self = cx_self;
    struct wait_question question = {.pid = pid, .options = options};
    if (self != NULL && (options & WNOHANG) == 0) {
        if (cx_await(self, CX_OP_IO, CX_NO_DEADLINE, wait_over, &question, CX_CALLER) < 0) {
            return -1;
        }
    }
    return cx_the_real()->wait4(pid, status, options, usage);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
    return wait4(pid, status, options, NULL);
}

pid_t wait(int *status)
{
    return wait4(-1, status, 0, NULL);
}

// Each reason once, as far as there is room for it.
void cx_say_uncontrolled(const char *text)
{
    if (!cx_playing) {
        return;
    }
    cx_again_unfit(text);
    char *said = cx_sched.channel->result.uncontrolled;
    size_t length = strlen(said);
    size_t room = sizeof(cx_sched.channel->result.uncontrolled) - length;
    if (strstr(said, text) == NULL && strlen(text) + sizeof("; ") <= room) {
        snprintf(said + length, room, "%s%s", length > 0 ? "; " : "", text);
    }
}

int clone(int (*body)(void *), void *stack, int flags, void *argument, ...)
{
    int (*real_clone)(int (*)(void *), void *, int, void *, ...) = cx_real_libc("clone");
    va_list more;
    va_start(more, argument);
    void *parent_tid = va_arg(more, void *);
    void *tls = va_arg(more, void *);
    void *child_tid = va_arg(more, void *);
    va_end(more);
    if ((flags & CLONE_VM) != 0) {
        cx_say_uncontrolled("a thread made by clone");
    }
    return real_clone(body, stack, flags, argument, parent_tid, tls, child_tid);
}
