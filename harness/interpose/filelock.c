// SPDX-License-Identifier: Apache-2.0
//
// filelock: flock and the waiting forms of fcntl and lockf. A thread waits in the scheduler until the call would not
// wait, and then makes it. Who holds such a lock may be another process; so the wait is one for what comes from
// outside, too (await.c).
#include "harness/interpose/interpose.h"
#include "harness/sched/futex.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/file.h>
#include <unistd.h>

struct flock_question {
    int fd;
    int operation;
};

// Taken and let go again: a lock of this kind can be asked about in no other way. An older lock of the same open file
// is lost, as flock itself would have it while it waits.
static int flock_over(void *argument)
{
    const struct flock_question *question = argument;
    long result = cx_syscall3(SYS_flock, question->fd, question->operation | LOCK_NB, 0);
    if (result == 0) {
        cx_syscall3(SYS_flock, question->fd, LOCK_UN, 0);
    }
    return result != -EWOULDBLOCK;
}

int flock(int fd, int operation)
{
    static int (*real)(int, int); // const after init
    struct cx_thread *self = cx_self;
    struct flock_question question = {.fd = fd, .operation = operation};
    if (real == NULL) {
        real = (int (*)(int, int))cx_real_libc("flock");
    }
    if (self == NULL) {
        return real(fd, operation);
    }
    int waits = (operation & (LOCK_NB | LOCK_UN)) == 0;
    if (!waits) {
        cx_step(self, CX_OP_IO, NULL, CX_CALLER);
    } else if (cx_await(self, CX_OP_IO, CX_NO_DEADLINE, flock_over, &question, CX_CALLER) < 0) {
        return -1;
    }
    int result = real(fd, operation);
    int error = errno;
    cx_await_changed();
    cx_step_after(self, NULL, CX_CALLER);
    errno = error;
    return result;
}

struct record_question {
    int fd;
    int open_file; // the lock is the open file's, not the process's
    struct flock lock;
};

static int record_over(void *argument)
{
    const struct record_question *question = argument;
    struct flock lock = question->lock;
    long result = cx_syscall3(SYS_fcntl, question->fd, question->open_file ? F_OFD_GETLK : F_GETLK, (long)&lock);
    return result < 0 || lock.l_type == F_UNLCK;
}

static int record_lock(struct cx_thread *self, int fd, int command, struct flock *lock, int (*real)(int, int, ...),
                       const void *caller)
{
    struct record_question question = {.fd = fd, .open_file = command == F_OFD_SETLKW, .lock = *lock};
    int waits = (command == F_SETLKW || command == F_OFD_SETLKW) && lock->l_type != F_UNLCK;
    if (!waits) {
        cx_step(self, CX_OP_IO, NULL, caller);
    } else if (cx_await(self, CX_OP_IO, CX_NO_DEADLINE, record_over, &question, caller) < 0) {
        return -1;
    }
    int result = real(fd, command, lock);
    int error = errno;
    cx_await_changed();
    cx_step_after(self, NULL, caller);
    errno = error;
    return result;
}

static int control(int fd, int command, void *argument, const void *caller)
{
    static int (*real)(int, int, ...); // const after init
    struct cx_thread *self = cx_self;
    if (real == NULL) {
        real = (int (*)(int, int, ...))cx_real_libc("fcntl64");
    }
    int locks = command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK || command == F_OFD_SETLKW;
    if (self == NULL || !locks || argument == NULL) {
        return real(fd, command, argument);
    }
    return record_lock(self, fd, command, argument, real, caller);
}

int fcntl(int fd, int command, ...)
{
    va_list more;
    va_start(more, command);
    void *argument = va_arg(more, void *);
    va_end(more);
    return control(fd, command, argument, CX_CALLER);
}

int fcntl64(int fd, int command, ...)
{
    va_list more;
    va_start(more, command);
    void *argument = va_arg(more, void *);
    va_end(more);
    return control(fd, command, argument, CX_CALLER);
}

int lockf(int fd, int command, off_t bytes)
{
    struct flock lock = {.l_type = command == F_ULOCK ? F_UNLCK : F_WRLCK, .l_whence = SEEK_CUR, .l_len = bytes};
    if (command == F_TEST) {
        if (control(fd, F_GETLK, &lock, CX_CALLER) < 0) {
            return -1;
        }
        if (lock.l_type == F_UNLCK || lock.l_pid == getpid()) {
            return 0;
        }
        errno = EACCES;
        return -1;
    }
    if (command != F_LOCK && command != F_TLOCK && command != F_ULOCK) {
        errno = EINVAL;
        return -1;
    }
    return control(fd, command == F_LOCK ? F_SETLKW : F_SETLK, &lock, CX_CALLER);
}

int lockf64(int fd, int command, off64_t bytes)
{
    return lockf(fd, command, bytes);
}
