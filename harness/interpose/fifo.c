// SPDX-License-Identifier: Apache-2.0
//
// fifo: opening a named pipe waits for somebody at its other end. A thread waits in the scheduler instead. A reader
// opens its end at once, as the kernel does, and waits until there is a writer; a writer tries until there is a reader.
#include "harness/interpose/interpose.h"
#include "harness/sched/futex.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

struct fifo_question {
    int folder;
    const char *path;
    int flags;
    long fd; // below 0: an error number
};

// statx: diverge watches the other calls that look at files, for they are the program's.
static int is_fifo(int folder, const char *path, int flags)
{
    struct statx info = {.stx_mode = 0};
    int follow = (flags & O_NOFOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0;
    long result = cx_syscall6(SYS_statx, folder, (long)path, follow, STATX_TYPE, (long)&info, 0);
    return result == 0 && S_ISFIFO(info.stx_mode);
}

static int writer_over(void *argument)
{
    struct fifo_question *question = argument;
    if (question->fd < 0) {
        question->fd =
            cx_syscall6(SYS_openat, question->folder, (long)question->path, question->flags | O_NONBLOCK, 0, 0, 0);
    }
    return question->fd != -ENXIO;
}

// tee takes nothing out of the pipe: it says 0 where nobody can write, and EAGAIN where somebody can and has not.
static int reader_over(void *argument)
{
    const struct fifo_question *question = argument;
    struct pollfd descriptor = {.fd = (int)question->fd, .events = POLLIN};
    int ends[2] = {-1, -1};
    if (cx_syscall3(SYS_poll, (long)&descriptor, 1, 0) != 0) {
        return 1; // there are bytes, or a writer has come and gone
    }
    if (cx_syscall3(SYS_pipe2, (long)ends, O_CLOEXEC, 0) != 0) {
        return 1;
    }
    long result = cx_syscall6(SYS_tee, question->fd, ends[1], 1, SPLICE_F_NONBLOCK, 0, 0);
    cx_syscall3(SYS_close, ends[0], 0, 0);
    cx_syscall3(SYS_close, ends[1], 0, 0);
    return result != 0;
}

static int open_end(struct cx_thread *self, struct fifo_question *question, const void *caller)
{
    int reads = (question->flags & O_ACCMODE) == O_RDONLY;
    if (reads) {
        question->fd =
            cx_syscall6(SYS_openat, question->folder, (long)question->path, question->flags | O_NONBLOCK, 0, 0, 0);
        cx_await_changed(); // a writer may have waited for that
    }
    int came = !reads || question->fd >= 0;
    came = came ? cx_await(self, CX_OP_IO, CX_NO_DEADLINE, reads ? reader_over : writer_over, question, caller) : 0;
    int error = errno;
    if (came < 0 && question->fd >= 0) {
        cx_syscall3(SYS_close, question->fd, 0, 0);
    }
    if (came < 0) {
        errno = error;
        return -1;
    }
    if (question->fd < 0) {
        errno = (int)-question->fd;
        return -1;
    }
    cx_syscall3(SYS_fcntl, question->fd, F_SETFL, question->flags & ~O_NONBLOCK);
    cx_await_changed();
    cx_step_after(self, NULL, caller);
    return (int)question->fd;
}

static int open_any(int folder, const char *path, int flags, mode_t mode, const void *caller)
{
    static int (*real)(int, const char *, int, ...); // const after init
    struct cx_thread *self = cx_self;
    if (real == NULL) {
        real = (int (*)(int, const char *, int, ...))cx_real_libc("openat64");
    }
    int one_way = (flags & O_ACCMODE) != O_RDWR && (flags & (O_NONBLOCK | O_PATH)) == 0;
    if (self == NULL || !one_way || path == NULL || !is_fifo(folder, path, flags)) {
        return real(folder, path, flags, mode);
    }
    struct fifo_question question = {.folder = folder, .path = path, .flags = flags, .fd = -ENXIO};
    return open_end(self, &question, caller);
}

#define CX_MODE_OF(flags, mode)                                                                                        \
    mode_t mode = 0;                                                                                                   \
    if (((flags) & O_CREAT) != 0 || ((flags) & O_TMPFILE) == O_TMPFILE) {                                              \
        va_list more;                                                                                                  \
        va_start(more, flags);                                                                                         \
        mode = va_arg(more, mode_t);                                                                                   \
        va_end(more);                                                                                                  \
    }

int open(const char *path, int flags, ...)
{
    CX_MODE_OF(flags, mode)
    return open_any(AT_FDCWD, path, flags, mode, CX_CALLER);
}

int open64(const char *path, int flags, ...)
{
    CX_MODE_OF(flags, mode)
    return open_any(AT_FDCWD, path, flags, mode, CX_CALLER);
}

int openat(int folder, const char *path, int flags, ...)
{
    CX_MODE_OF(flags, mode)
    return open_any(folder, path, flags, mode, CX_CALLER);
}

int openat64(int folder, const char *path, int flags, ...)
{
    CX_MODE_OF(flags, mode)
    return open_any(folder, path, flags, mode, CX_CALLER);
}
