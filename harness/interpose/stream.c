// SPDX-License-Identifier: Apache-2.0
//
// stream: reads and writes that may block: on pipes, sockets, and event descriptors. A thread waits in the scheduler
// until the call would not block, and then makes it. Files, directories and devices are none of it: their calls go
// straight through and are no points.
#include "harness/interpose/interpose.h"
#include "harness/sched/futex.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { KIND_FILE = 0, KIND_PIPE, KIND_SOCKET, KIND_EVENT };

static enum kind kind_of(int fd)
{
    struct stat info = {.st_mode = S_IFREG};
    cx_syscall3(SYS_fstat, fd, (long)&info, 0);
    switch (info.st_mode & S_IFMT) {
    case S_IFIFO:
        return KIND_PIPE;
    case S_IFSOCK:
        return KIND_SOCKET;
    case 0:
        return KIND_EVENT; // eventfd, timerfd and their like
    default:
        return KIND_FILE;
    }
}

static int fd_over(void *argument)
{
    struct pollfd descriptor = *(const struct pollfd *)argument;
    return cx_syscall3(SYS_poll, (long)&descriptor, 1, 0) != 0;
}

// A point, and the wait for `events` unless the call would not wait either. -1 if a signal came.
static int await_fd(struct cx_thread *self, int fd, short events, int never_waits, const void *caller)
{
    struct pollfd descriptor = {.fd = fd, .events = events};
    if (never_waits || (cx_syscall3(SYS_fcntl, fd, F_GETFL, 0) & O_NONBLOCK) != 0) {
        if (fd_over(&descriptor)) {
            cx_step(self, CX_OP_IO, NULL, caller);
        } else {
            cx_step_look(self, CX_OP_IO, NULL, caller);
        }
        return 0;
    }
    return cx_await(self, CX_OP_IO, CX_NO_DEADLINE, fd_over, &descriptor, caller) < 0 ? -1 : 0;
}

static void after(struct cx_thread *self, const void *caller)
{
    int error = errno;
    cx_await_changed();
    cx_step_after(self, NULL, caller);
    errno = error;
}

// What each of them does: FD, EVENTS, whether it never waits, and the real call.
#define CX_THROUGH(fd, wanted, never_waits, call)                                                                      \
    struct cx_thread *self = cx_self;                                                                                  \
    if (self == NULL || kind_of(fd) == KIND_FILE) {                                                                    \
        return cx_the_real()->call;                                                                                    \
    }                                                                                                                  \
    if (await_fd(self, fd, wanted, never_waits, CX_CALLER) != 0) {                                                     \
        return -1;                                                                                                     \
    }                                                                                                                  \
    ssize_t result = cx_real.call;                                                                                     \
    after(self, CX_CALLER);                                                                                            \
    return result

ssize_t read(int fd, void *bytes, size_t count)
{
    CX_THROUGH(fd, POLLIN, 0, read(fd, bytes, count));
}

ssize_t readv(int fd, const struct iovec *parts, int count)
{
    CX_THROUGH(fd, POLLIN, 0, readv(fd, parts, count));
}

ssize_t recv(int fd, void *bytes, size_t count, int flags)
{
    CX_THROUGH(fd, POLLIN, flags & MSG_DONTWAIT, recv(fd, bytes, count, flags));
}

ssize_t recvfrom(int fd, void *restrict bytes, size_t count, int flags, struct sockaddr *restrict from,
                 socklen_t *restrict from_bytes)
{
    CX_THROUGH(fd, POLLIN, flags & MSG_DONTWAIT, recvfrom(fd, bytes, count, flags, from, from_bytes));
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    CX_THROUGH(fd, POLLIN, flags & MSG_DONTWAIT, recvmsg(fd, message, flags));
}

// Write all of it, as a blocking call does, in parts that do not block: a pipe that is ready has room for PIPE_BUF
// bytes, and a socket can be told not to wait.
static ssize_t write_all(struct cx_thread *self, int fd, enum kind kind, const char *bytes, size_t count, int flags,
                         const void *caller)
{
    size_t done = 0;
    do {
        if (await_fd(self, fd, POLLOUT, 0, caller) != 0) {
            return done > 0 ? (ssize_t)done : -1;
        }
        size_t part = kind == KIND_PIPE && count - done > PIPE_BUF ? PIPE_BUF : count - done;
        ssize_t put = kind == KIND_SOCKET ? cx_real.send(fd, bytes + done, part, flags | MSG_DONTWAIT)
                                          : cx_real.write(fd, bytes + done, part);
        if (put < 0 && errno == EAGAIN && kind == KIND_SOCKET) {
            continue;
        }
        if (put < 0) {
            return done > 0 ? (ssize_t)done : -1;
        }
        done += (size_t)put;
        after(self, caller);
    } while (done < count && kind != KIND_EVENT);
    return (ssize_t)done;
}

static int never_waits(int fd)
{
    return (cx_syscall3(SYS_fcntl, fd, F_GETFL, 0) & O_NONBLOCK) != 0;
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    struct cx_thread *self = cx_self;
    enum kind kind = self != NULL ? kind_of(fd) : KIND_FILE;
    if (kind == KIND_FILE) {
        return cx_the_real()->write(fd, bytes, count);
    }
    if (!never_waits(fd)) {
        return write_all(self, fd, kind, bytes, count, 0, CX_CALLER);
    }
    await_fd(self, fd, POLLOUT, 1, CX_CALLER);
    ssize_t result = cx_real.write(fd, bytes, count);
    after(self, CX_CALLER);
    return result;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    CX_THROUGH(fd, POLLOUT, 0, writev(fd, parts, count));
}

static ssize_t send_part(int fd, const void *bytes, size_t count, int flags, const struct sockaddr *to,
                         socklen_t to_bytes)
{
    CX_THROUGH(fd, POLLOUT, flags & MSG_DONTWAIT, sendto(fd, bytes, count, flags, to, to_bytes));
}

ssize_t sendto(int fd, const void *bytes, size_t count, int flags, const struct sockaddr *to, socklen_t to_bytes)
{
    struct cx_thread *self = cx_self;
    int waits = self != NULL && (flags & MSG_DONTWAIT) == 0 && kind_of(fd) == KIND_SOCKET && !never_waits(fd);
    if (waits && to == NULL) {
        return write_all(self, fd, KIND_SOCKET, bytes, count, flags, CX_CALLER);
    }
    return send_part(fd, bytes, count, flags, to, to_bytes);
}

ssize_t send(int fd, const void *bytes, size_t count, int flags)
{
    return sendto(fd, bytes, count, flags, NULL, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    CX_THROUGH(fd, POLLOUT, flags & MSG_DONTWAIT, sendmsg(fd, message, flags));
}

int accept4(int fd, struct sockaddr *restrict from, socklen_t *restrict from_bytes, int flags)
{
    CX_THROUGH(fd, POLLIN, 0, accept4(fd, from, from_bytes, flags));
}

int accept(int fd, struct sockaddr *restrict from, socklen_t *restrict from_bytes)
{
    CX_THROUGH(fd, POLLIN, 0, accept(fd, from, from_bytes));
}

int connect(int fd, const struct sockaddr *to, socklen_t to_bytes)
{
    CX_THROUGH(fd, POLLOUT, 1, connect(fd, to, to_bytes));
}

int shutdown(int fd, int how)
{
    CX_THROUGH(fd, POLLOUT, 1, shutdown(fd, how));
}

// The other end may have waited for that; it is a point only for who has another end.
int close(int fd)
{
    CX_THROUGH(fd, POLLOUT, 1, close(fd));
}
