// SPDX-License-Identifier: Apache-2.0
//
// signal_send: how a program sends signals: raise, kill, pthread_kill, sigqueue, pthread_sigqueue, tgkill.
#include "harness/interpose/interpose.h"
#include "harness/interpose/signals.h"
#include "harness/sched/again.h"
#include "harness/sched/futex.h"

#include <errno.h>
#include <unistd.h>

static siginfo_t info_of(int number, int code)
{
    siginfo_t info = {.si_signo = number, .si_code = code};
    info.si_pid = getpid();
    info.si_uid = getuid();
    return info;
}

static int send_now(struct cx_thread *self, struct cx_thread *target, const siginfo_t *info, const void *caller)
{
    cx_again_unfit("signals");
    cx_step(self, CX_OP_SIGNAL, target, caller);
    int error = cx_signal_send(self, target, info);
    cx_step_after(self, target, caller);
    return error;
}

static int from_kernel(long result)
{
    if (result < 0) {
        errno = (int)-result;
        return -1;
    }
    return 0;
}

static int valid(int number)
{
    return number >= 0 && number <= SIGRTMAX;
}

int raise(int number)
{
    struct cx_thread *self = cx_self;
    if (self == NULL || number == 0 || !valid(number)) {
        return from_kernel(cx_syscall3(SYS_tgkill, getpid(), cx_syscall3(SYS_gettid, 0, 0, 0), number));
    }
    siginfo_t info = info_of(number, SI_TKILL);
    return from_kernel(-send_now(self, self, &info, CX_CALLER));
}

int kill(pid_t pid, int number)
{
    struct cx_thread *self = cx_self;
    if (self == NULL || pid != getpid() || number == 0 || !valid(number)) {
        int result = from_kernel(cx_syscall3(SYS_kill, pid, number, 0));
        if (self != NULL) {
            cx_await_changed();
            cx_step_after(self, NULL, CX_CALLER);
        }
        return result;
    }
    siginfo_t info = info_of(number, SI_USER);
    return from_kernel(-send_now(self, NULL, &info, CX_CALLER));
}

int sigqueue(pid_t pid, int number, const union sigval value)
{
    struct cx_thread *self = cx_self;
    siginfo_t info = info_of(number, SI_QUEUE);
    info.si_value = value;
    if (self == NULL || pid != getpid() || number == 0 || !valid(number)) {
        return from_kernel(cx_syscall3(SYS_rt_sigqueueinfo, pid, number, (long)&info));
    }
    return from_kernel(-send_now(self, NULL, &info, CX_CALLER));
}

static int send_to_thread(pthread_t handle, const siginfo_t *info, const void *caller)
{
    struct cx_thread *self = cx_self;
    struct cx_thread *target = self != NULL ? cx_thread_find(handle) : NULL;
    if (!valid(info->si_signo)) {
        return EINVAL;
    }
    if (target == NULL || info->si_signo == 0) {
        int (*real)(pthread_t, int) = cx_real_libc("pthread_kill");
        return real(handle, info->si_signo);
    }
    return target->status == CX_THREAD_EXITED ? 0 : send_now(self, target, info, caller);
}

int pthread_kill(pthread_t handle, int number)
{
    siginfo_t info = info_of(number, SI_TKILL);
    return send_to_thread(handle, &info, CX_CALLER);
}

int pthread_sigqueue(pthread_t handle, int number, const union sigval value)
{
    siginfo_t info = info_of(number, SI_QUEUE);
    info.si_value = value;
    return send_to_thread(handle, &info, CX_CALLER);
}
