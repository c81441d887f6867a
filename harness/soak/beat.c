// SPDX-License-Identifier: Apache-2.0
//
// beat: see beat.h. The name of a socket has at most 107 bytes, and a folder's may be longer: it is reached through
// its descriptor.
#include "harness/soak/beat.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ASK_MS_MAX 60000 // a soak that starts a runner or names functions answers when it is done with that

static void address_of(int folder_fd, struct sockaddr_un *address)
{
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/" CX_BEAT_SOCKET, folder_fd);
}

static enum cx_status listen_begin(struct cx_beat *beat, const char *folder, struct cx_error *error)
{
    struct sockaddr_un address;
    address_of(beat->folder_fd, &address);
    unlinkat(beat->folder_fd, CX_BEAT_SOCKET, 0); // of a soak that was killed: this one has the lock
    beat->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (beat->listen_fd < 0 || bind(beat->listen_fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(beat->listen_fd, 16) != 0) {
        cx_error_system(error, "--out %s: cannot make " CX_BEAT_SOCKET, folder);
        return CX_ERR_ENVIRONMENT;
    }
    return CX_OK;
}

enum cx_status cx_beat_open(struct cx_beat *beat, const char *folder, struct cx_error *error)
{
    beat->listen_fd = -1;
    beat->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (beat->folder_fd < 0) {
        cx_error_system(error, "--out %s", folder);
        return CX_ERR_ENVIRONMENT;
    }
    if (flock(beat->folder_fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            return cx_error_set(error, CX_ERR_ENVIRONMENT,
                                "--out %s: a soak is running there; `constrictor soak --status %s` shows it", folder,
                                folder);
        }
        cx_error_system(error, "--out %s: cannot be locked", folder);
        return CX_ERR_ENVIRONMENT;
    }
    return listen_begin(beat, folder, error);
}

void cx_beat_close(struct cx_beat *beat)
{
    if (beat->listen_fd >= 0) {
        unlinkat(beat->folder_fd, CX_BEAT_SOCKET, 0);
        close(beat->listen_fd);
    }
    if (beat->folder_fd >= 0) {
        close(beat->folder_fd);
    }
    beat->listen_fd = beat->folder_fd = -1;
}

enum cx_status cx_beat_write(const struct cx_beat *beat, json_t *object, struct cx_error *error)
{
    int fd = openat(beat->folder_fd, CX_BEAT_NAME ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int failed = fd < 0 || object == NULL || json_dumpfd(object, fd, JSON_COMPACT) != 0 || write(fd, "\n", 1) != 1;
    if (fd >= 0 && close(fd) != 0) {
        failed = 1;
    }
    json_decref(object);
    if (failed || renameat(beat->folder_fd, CX_BEAT_NAME ".new", beat->folder_fd, CX_BEAT_NAME) != 0) {
        enum cx_status status = cx_error_system(error, CX_BEAT_NAME " cannot be written");
        unlinkat(beat->folder_fd, CX_BEAT_NAME ".new", 0);
        return status;
    }
    return CX_OK;
}

void cx_beat_serve(const struct cx_beat *beat, json_t *(*object)(void *context), void *context)
{
    for (;;) {
        int fd = accept4(beat->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            return;
        }
        // The answer is smaller than the socket's buffer: whoever does not read it holds nobody up.
        json_t *answer = object(context);
        char *text = answer != NULL ? json_dumps(answer, JSON_COMPACT) : NULL;
        if (text != NULL) {
            size_t bytes = strlen(text);
            text[bytes] = '\n'; // in the place of the NUL
            (void)!send(fd, text, bytes + 1, MSG_NOSIGNAL);
        }
        free(text);
        json_decref(answer);
        close(fd);
    }
}

// Copy what comes from a descriptor to standard output. Returns the number of bytes, -1 when nothing comes for long.
static long copy_out(int fd)
{
    char text[4096];
    long bytes = 0;
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        ssize_t got = poll(&ready, 1, ASK_MS_MAX) == 1 ? read(fd, text, sizeof(text)) : -1;
        if (got <= 0) {
            return got < 0 ? -1 : bytes;
        }
        fwrite(text, 1, (size_t)got, stdout);
        bytes += got;
    }
}

enum cx_status cx_beat_ask(const char *folder, int *alive, struct cx_error *error)
{
    struct sockaddr_un address;
    int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    enum cx_status status = CX_OK;
    *alive = 0;
    address_of(folder_fd, &address);
    if (folder_fd < 0 || fd < 0) {
        cx_error_system(error, "--status %s", folder);
        status = CX_ERR_USAGE;
    } else if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
        *alive = 1;
        if (copy_out(fd) <= 0) {
            status = cx_error_set(error, CX_ERR_ENVIRONMENT, "the soak of %s does not answer", folder);
        }
    } else {
        int last = openat(folder_fd, CX_BEAT_NAME, O_RDONLY | O_CLOEXEC);
        if (last < 0) {
            status = cx_error_set(error, CX_ERR_USAGE, "--status %s: no soak was ever there", folder);
        } else {
            (void)copy_out(last);
            close(last);
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    if (folder_fd >= 0) {
        close(folder_fd);
    }
    return status;
}
