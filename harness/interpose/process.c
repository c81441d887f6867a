// SPDX-License-Identifier: Apache-2.0
//
// process: fork and clone. A process that the program forks is left alone: it has one thread, no channel, real clocks,
// and ends as it likes. A thread made by clone(2) cannot be controlled; that it was made is said.
#include "harness/interpose/interpose.h"

#include "harness/interpose/clock.h"
#include "harness/host/run.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static void leave_alone(void)
{
    cx_playing = 0;
    cx_clock_real = 1;
    cx_sched_abandon();
    cx_crash_uninstall();
}

pid_t fork(void)
{
    struct cx_thread *self = cx_self;
    if (self != NULL) {
        cx_step(self, CX_OP_FORK, NULL, CX_CALLER);
    }
    pid_t child = cx_the_real()->fork();
    if (child == 0 && cx_playing) {
        leave_alone();
    }
    return child;
}

// The child of a real vfork borrows its parent's memory, and with it the scheduler. A copy does for what vfork is for.
pid_t vfork(void)
{
    return fork();
}

void cx_say_uncontrolled(const char *text)
{
    if (cx_playing && cx_sched.channel->result.uncontrolled[0] == '\0') {
        snprintf(cx_sched.channel->result.uncontrolled, sizeof(cx_sched.channel->result.uncontrolled), "%s", text);
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
